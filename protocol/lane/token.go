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

// token is the content of a JWT whose signature has not been checked. The library's parser makes
// maps of it, which takes longer than all the rest of a call.
type token struct {
	room      []byte // the decoded parts; only this buffer is used again for the next token
	signed    string // the text that the signature is of
	signature []byte
	usual     bool // the header is the usual one

	// Texts are empty if they are absent.
	alg, kid                       []byte
	lane, capability, kind, target []byte
	hash                           []byte
	hasKind, hasTarget, hasHash    bool
	oddHash                        bool // the hash is not a string
	issued, expires                float64
	hasIssued, hasExpires          bool
}

var errMalformed = errors.New("the token is malformed")

// maxClaimDepth bounds the depth of claims.
const maxClaimDepth = 16

// usualHeader returns the header that Runner and Signer write for tokens without a kid.
func usualHeader(alg string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + alg + `","typ":"JWT"}`))
}

// parse parses a token. It does not decode a usual header.
func (t *token) parse(text, usual string) error {
	header, rest, ok1 := strings.Cut(text, ".")
	payload, signature, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 || strings.Contains(signature, ".") {
		return errMalformed
	}
	*t = token{room: t.room[:0], signed: text[:len(header)+1+len(payload)], usual: header == usual}
	var err error
	if t.signature, err = t.decode(signature); err != nil {
		return err
	}
	if !t.usual {
		if err := t.members(header, t.header); err != nil {
			return err
		}
	}
	return t.members(payload, t.claim)
}

func (t *token) members(part string, member func(name, value []byte)) error {
	text, err := t.decode(part)
	if err != nil {
		return err
	}
	return rawjson.Members(text, maxClaimDepth, member)
}

// decode returns the content of a part. It remains valid when room grows.
func (t *token) decode(part string) (text []byte, err error) {
	start := len(t.room)
	t.room, err = base64.RawURLEncoding.AppendDecode(t.room, []byte(part))
	return t.room[start:], err
}

// If there are two members with the same name, the last one counts, in a header and in claims.
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

// textOf returns the value of a valid JSON string.
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
	if whole, err := strconv.Atoi(string(value)); err == nil { // nearly all numbers are integers, and this is three times as fast
		return float64(whole), true
	}
	number, err := strconv.ParseFloat(string(value), 64)
	return number, err == nil
}
