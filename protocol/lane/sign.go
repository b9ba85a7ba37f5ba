package lane

import (
	"fmt"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bluelibs/go-tunnel/protocol"
)

// DefaultTTL is how long tokens are valid unless a Signing sets another time.
const DefaultTTL = time.Minute

// Signing configures the tokens of a lane. Lane and Key are required.
type Signing struct {
	// Lane is the id of the lane in its declaration.
	Lane string
	// Key is the secret of the lane, a []byte (HS256), or the private key whose public key its
	// servers have: an ed25519.PrivateKey (EdDSA), an *ecdsa.PrivateKey on the curve P-256 (ES256)
	// or an *rsa.PrivateKey (RS256).
	Key any
	// KeyID names the key, for servers that have several. Empty sends none.
	KeyID string
	// Header is the header that has the token. Empty means DefaultHeader, in which it follows
	// "Bearer ".
	Header string
	// TTL is how long a token is valid, in whole seconds. Zero or less means DefaultTTL.
	TTL time.Duration
}

// Signer makes the tokens of one lane. NewSigner makes a Signer. It is safe for concurrent use.
type Signer struct {
	lane   string
	key    any
	kid    string
	header string
	ttl    time.Duration
	method jwt.SigningMethod
	now    func() time.Time
}

// NewSigner returns a signer. It returns an error if the key is invalid.
func NewSigner(s Signing) (*Signer, error) {
	method, err := methodOf(s.Key)
	if err != nil {
		return nil, err
	}
	if s.Lane == "" {
		return nil, errNoLane
	}
	if _, err := method.Sign("", s.Key); err != nil {
		return nil, fmt.Errorf("lane: cannot sign with a %T: %w", s.Key, err)
	}
	if s.TTL <= 0 {
		s.TTL = DefaultTTL
	}
	return &Signer{lane: s.Lane, key: s.Key, kid: s.KeyID, header: headerName(s.Header), ttl: s.TTL, method: method, now: time.Now}, nil
}

// Sign sets the header of a call. Body is the body if it is JSON, and nil for forms and raw
// bodies. A nil Signer signs nothing.
func (s *Signer) Sign(h http.Header, kind protocol.Kind, id string, body []byte) error {
	if s == nil {
		return nil
	}
	now := s.now()
	claims := jwt.MapClaims{
		claimLane: s.lane, claimCap: produce, claimKind: kindOf(kind), claimTarget: id,
		claimIssued: now.Unix(), claimExpires: now.Add(s.ttl).Unix(),
	}
	if body != nil {
		hash := hashOf(normal(body))
		claims[claimHash] = string(hash[:])
	}
	token := jwt.NewWithClaims(s.method, claims)
	if s.kid != "" {
		token.Header["kid"] = s.kid
	}
	text, err := token.SignedString(s.key)
	if err != nil {
		return fmt.Errorf("lane: %w", err)
	}
	if s.header == DefaultHeader {
		text = "Bearer " + text
	}
	h.Set(s.header, text)
	return nil
}
