package lane

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// token is what a JWT says, before its signature was checked. The library's parser makes
// maps of it, which takes longer than all the rest of a call.
type token struct {
	signed    string // the part that is
	signature []byte

	alg, kid                     string
	lane, capability, kind, name string
	hash                         *string // nil if there is none
	oddHash                      bool    // it is no text
	issued, expires              *float64
}

var errMalformed = errors.New("the token is malformed")

// maxClaimDepth is how deep claims may be that nobody asks for.
const maxClaimDepth = 16

var decoder = jwt.NewParser()

func parseToken(text string) (*token, error) {
	header, rest, ok1 := strings.Cut(text, ".")
	payload, signature, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 || strings.Contains(signature, ".") {
		return nil, errMalformed
	}
	t := &token{signed: text[:len(header)+1+len(payload)]}
	var err error
	if t.signature, err = decoder.DecodeSegment(signature); err != nil {
		return nil, err
	}
	err = members(header, func(name, value []byte) {
		switch string(name) {
		case "alg":
			t.alg, _ = stringOf(value)
		case "kid":
			t.kid, _ = stringOf(value)
		}
	})
	if err != nil {
		return nil, err
	}
	return t, members(payload, t.claim)
}

func (t *token) claim(name, value []byte) {
	switch string(name) {
	case claimLane:
		t.lane, _ = stringOf(value)
	case claimCap:
		t.capability, _ = stringOf(value)
	case claimKind:
		t.kind, _ = stringOf(value)
	case claimTarget:
		t.name, _ = stringOf(value)
	case claimHash:
		hash, ok := stringOf(value)
		t.hash, t.oddHash = &hash, !ok
	case claimIssued:
		t.issued = numberOf(value)
	case claimExpires:
		t.expires = numberOf(value)
	}
}

// members calls member for those of the object that a part of a token is. Of two of one
// name the last counts.
func members(part string, member func(name, value []byte)) error {
	text, err := decoder.DecodeSegment(part)
	if err != nil {
		return err
	}
	return rawjson.Members(text, maxClaimDepth, member)
}

// stringOf returns the value of a valid JSON string.
func stringOf(value []byte) (text string, ok bool) {
	if value[0] != '"' {
		return "", false
	}
	if !strings.Contains(string(value), `\`) {
		return string(value[1 : len(value)-1]), true
	}
	return text, json.Unmarshal(value, &text) == nil
}

// numberOf returns the value of a valid JSON number, nil for anything else.
func numberOf(value []byte) *float64 {
	if value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return nil
	}
	number, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		return nil
	}
	return &number
}
