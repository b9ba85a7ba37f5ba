package lane

import (
	"fmt"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bluelibs/go-tunnel/protocol"
)

// DefaultTTL is how long tokens are good for unless a Signing says so.
const DefaultTTL = time.Minute

// Signing says how the tokens of a lane are made. Lane and Key are needed.
type Signing struct {
	// Lane is the id of the lane, as it is declared.
	Lane string
	// Key is the secret of the lane, a []byte (HS256), or the private key that its servers
	// know the public one of: an ed25519.PrivateKey (EdDSA), an *ecdsa.PrivateKey on the
	// curve P-256 (ES256) or an *rsa.PrivateKey (RS256).
	Key any
	// KeyID names the key, for servers that have several. Empty sends none.
	KeyID string
	// Header carries the token. Empty means DefaultHeader, in which it follows "Bearer ".
	Header string
	// TTL is how long a token is good for, in whole seconds. Zero or less means DefaultTTL.
	TTL time.Duration
}

// Signer makes the tokens of one lane. Make one with NewSigner. It is safe for
// concurrent use.
type Signer struct {
	lane   string
	key    any
	kid    string
	header string
	ttl    time.Duration
	method jwt.SigningMethod
	now    func() time.Time
}

// NewSigner returns the signer. The error says what is wrong with its key.
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

// Sign sets the header that a call needs. Body is the one that is sent if it is JSON, and
// nil for forms and raw bodies. A nil Signer signs nothing.
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
