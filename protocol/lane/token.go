package lane

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// token is what a JWT says, before its signature was checked. The library's parser makes
// maps of it, which takes longer than all the rest of a call.
type token struct {
	signed    string // the part that is
	signature []byte

	// Texts are empty where there are none.
	alg, kid                       []byte
	lane, capability, kind, target []byte
	hash                           []byte
	hasKind, hasTarget, hasHash    bool
	oddHash                        bool // it is no text
	issued, expires                float64
	hasIssued, hasExpires          bool
}

var errMalformed = errors.New("the token is malformed")

// maxClaimDepth is how deep claims may be that nobody asks for.
const maxClaimDepth = 16

func (t *token) parse(text string) error {
	header, rest, ok1 := strings.Cut(text, ".")
	payload, signature, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 || strings.Contains(signature, ".") {
		return errMalformed
	}
	t.signed = text[:len(header)+1+len(payload)]
	buf := make([]byte, 0, len(text)) // of all parts: none of them outlives the token
	decode := func(part string) ([]byte, error) {
		start := len(buf)
		var err error
		buf, err = base64.RawURLEncoding.AppendDecode(buf, []byte(part))
		return buf[start:], err
	}
	var err error
	if t.signature, err = decode(signature); err != nil {
		return err
	}
	head, err := decode(header)
	if err != nil {
		return err
	}
	claims, err := decode(payload)
	if err != nil {
		return err
	}
	if err := rawjson.Members(head, maxClaimDepth, t.header); err != nil {
		return err
	}
	return rawjson.Members(claims, maxClaimDepth, t.claim)
}

// Of two members of one name the last counts, in a header and in claims.
func (t *token) header(name, value []byte) {
	switch string(name) {
	case "alg":
		t.alg, _ = textOf(value)
	case "kid":
		t.kid, _ = textOf(value)
	}
}

func (t *token) claim(name, value []byte) {
	switch string(name) {
	case claimLane:
		t.lane, _ = textOf(value)
	case claimCap:
		t.capability, _ = textOf(value)
	case claimKind:
		t.kind, _ = textOf(value)
		t.hasKind = true
	case claimTarget:
		t.target, _ = textOf(value)
		t.hasTarget = true
	case claimHash:
		var isText bool
		t.hash, isText = textOf(value)
		t.hasHash, t.oddHash = true, !isText
	case claimIssued:
		t.issued, t.hasIssued = numberOf(value)
	case claimExpires:
		t.expires, t.hasExpires = numberOf(value)
	}
}

// textOf returns what a valid JSON string says.
func textOf(value []byte) (text []byte, ok bool) {
	if value[0] != '"' {
		return nil, false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1], true
	}
	var s string
	err := json.Unmarshal(value, &s)
	return []byte(s), err == nil
}

// numberOf returns the value of a valid JSON number.
func numberOf(value []byte) (number float64, ok bool) {
	if value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return 0, false
	}
	number, err := strconv.ParseFloat(string(value), 64)
	return number, err == nil
}
