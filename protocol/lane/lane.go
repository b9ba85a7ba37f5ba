// Package lane checks and signs the tokens of RPC lanes. They are JSON Web Tokens with which the
// services of a Runner 6 topology prove that a call belongs to a lane, in addition to the token of
// the HTTP exposure, which is checked first.
//
// A token has the lane, the permission ("produce"), the kind and the id of the task or event, and
// the times of its issue and its expiry. If the body of the call is JSON, the token also has its
// hash, and is valid for no other input.
//
// A [Verifier] checks tokens. Package standalone gets one for its tasks; package ipc makes those
// for the bindings of a Runner application. A [Signer] makes tokens for package client.
package lane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/internal/dialect"
)

// DefaultHeader has the token unless a lane has a header of its own.
const DefaultHeader = "Authorization"

// These are claims of a token.
const (
	claimLane, claimCap, claimKind, claimTarget, claimHash = "lane", "cap", "kind", "target", "hash"
	claimIssued, claimExpires                              = "iat", "exp"

	produce = "produce"
)

// kindOf returns a kind as tokens name it.
func kindOf(kind protocol.Kind) string {
	if kind == protocol.KindEvent {
		return "rpc-event"
	}
	return "rpc-task"
}

// minRSA is the size in bits of the smallest accepted RSA key.
const minRSA = 1024 // Go refuses smaller keys

// methodOf returns the algorithm of a key, which is a secret, a public key or a private key. Each
// key has only one, so that a token cannot choose how it is checked.
func methodOf(key any) (jwt.SigningMethod, error) {
	switch key := key.(type) {
	case []byte:
		if len(key) == 0 {
			return nil, errors.New("lane: the secret is empty")
		}
		return jwt.SigningMethodHS256, nil
	case ed25519.PublicKey, ed25519.PrivateKey:
		return jwt.SigningMethodEdDSA, nil
	case *ecdsa.PublicKey:
		return ecMethod(key.Curve)
	case *ecdsa.PrivateKey:
		return ecMethod(key.Curve)
	case *rsa.PublicKey:
		return rsaMethod(key)
	case *rsa.PrivateKey:
		return rsaMethod(&key.PublicKey)
	}
	return nil, fmt.Errorf("lane: a %T cannot be the key of a lane", key)
}

func ecMethod(curve elliptic.Curve) (jwt.SigningMethod, error) {
	if curve != elliptic.P256() {
		return nil, fmt.Errorf("lane: ES256 needs a key on the curve P-256, not %s", curve.Params().Name)
	}
	return es256{}, nil
}

func rsaMethod(key *rsa.PublicKey) (jwt.SigningMethod, error) {
	if key.N.BitLen() < minRSA {
		return nil, fmt.Errorf("lane: an RSA key of %d bits is too short: the minimum is %d", key.N.BitLen(), minRSA)
	}
	return jwt.SigningMethodRS256, nil
}

// ParsePublicKey reads a PEM block "PUBLIC KEY" with a key of Ed25519, P-256 or RSA.
func ParsePublicKey(text []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("lane: no PEM block")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("lane: %w", err)
	}
	_, err = methodOf(key)
	return key, err
}

// ParsePrivateKey reads a PEM block "PRIVATE KEY" with a key of Ed25519, P-256 or RSA.
func ParsePrivateKey(text []byte) (crypto.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("lane: no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("lane: %w", err)
	}
	_, err = methodOf(key)
	return key, err
}

// hashSize is the length of a hash in a token.
const hashSize = 43

// hashOf returns the hash of the concatenated pieces, as tokens have it.
func hashOf(pieces ...[]byte) (hash [hashSize]byte) {
	h := sha256.New()
	for _, piece := range pieces {
		h.Write(piece)
	}
	var sum [sha256.Size]byte
	base64.RawURLEncoding.Encode(hash[:], h.Sum(sum[:0]))
	return hash
}

// normal returns body as Runner's serializer writes it, if that can be known.
func normal(body []byte) []byte {
	if text, ok := dialect.Normal(body); ok {
		return text
	}
	return body
}

func headerName(name string) string {
	if name == "" {
		return DefaultHeader
	}
	return http.CanonicalHeaderKey(name)
}

func seconds(d time.Duration) float64 {
	whole := d.Truncate(time.Second)
	if whole > d { // of a negative one
		whole -= time.Second
	}
	return whole.Seconds()
}
