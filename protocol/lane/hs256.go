package lane

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// hs256 checks signatures of HS256 by one secret. The library's method hashes the secret for each
// token, which costs more than parsing the token.
type hs256 struct {
	states sync.Pool // of *hmacState
}

// hmacState is an HMAC that has hashed the secret, with buffers for its input and output.
type hmacState struct {
	mac       hash.Hash
	text, sum []byte
}

func newHS256(secret []byte) *hs256 {
	secret = bytes.Clone(secret) // states are made later
	return &hs256{states: sync.Pool{New: func() any { return &hmacState{mac: hmac.New(sha256.New, secret)} }}}
}

func (h *hs256) check(signed string, signature []byte) error {
	s := h.states.Get().(*hmacState)
	defer h.states.Put(s)
	s.mac.Reset()
	s.text = append(s.text[:0], signed...)
	s.mac.Write(s.text)
	s.sum = s.mac.Sum(s.sum[:0])
	if !hmac.Equal(signature, s.sum) {
		return jwt.ErrSignatureInvalid
	}
	return nil
}
