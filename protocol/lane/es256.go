package lane

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"

	"github.com/golang-jwt/jwt/v5"
)

// es256 is ES256 with signatures in ASN.1 DER, as Runner writes and accepts them. RFC 7518
// concatenates the two numbers, which Runner refuses.
type es256 struct{}

func (es256) Alg() string { return jwt.SigningMethodES256.Alg() }

func (es256) Verify(signed string, signature []byte, key any) error {
	public, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return jwt.ErrInvalidKeyType
	}
	digest := sha256.Sum256([]byte(signed))
	if !ecdsa.VerifyASN1(public, digest[:], signature) {
		return jwt.ErrECDSAVerification
	}
	return nil
}

func (es256) Sign(signed string, key any) ([]byte, error) {
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, jwt.ErrInvalidKeyType
	}
	digest := sha256.Sum256([]byte(signed))
	return ecdsa.SignASN1(rand.Reader, private, digest[:])
}
