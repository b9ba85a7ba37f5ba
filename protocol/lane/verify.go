package lane

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/internal/dialect"
)

// DefaultSkew is by how much clocks may differ unless an Auth says so.
const DefaultSkew = 30 * time.Second

// maxToken is the longest token that is looked at, in bytes.
const maxToken = 8 << 10

var errNoLane = errors.New("lane: a lane needs its id")

// Auth says what the tokens of a lane must be. Lane and Key are needed.
type Auth struct {
	// Lane is the id of the lane, as it is declared.
	Lane string
	// Key is the secret of the lane, a []byte (HS256), or the public key of those who call
	// it: an ed25519.PublicKey (EdDSA), an *ecdsa.PublicKey on the curve P-256 (ES256, with
	// signatures in DER, as Runner writes them) or an *rsa.PublicKey (RS256).
	Key any
	// Keys are further keys of the same type, by the kid of the tokens that they are for.
	// Key is for all other tokens.
	Keys map[string]any
	// Header carries the token. Empty means DefaultHeader, in which it may follow "Bearer ".
	Header string
	// Skew is by how much the clocks of callers may differ, in whole seconds. Zero means
	// DefaultSkew, less than a second none. Less than zero asks for tokens that are good
	// that much longer.
	Skew time.Duration
	// Unbound lets tokens in that are good for every call of the lane, with neither kind,
	// target nor hash, as Runner 6.0 to 6.3 makes them. Those that are there must be right.
	Unbound bool
}

// Verifier checks the tokens of one lane. Make one with NewVerifier. It is safe for
// concurrent use.
type Verifier struct {
	auth   Auth // without its keys
	alg    string
	usual  string // header of a token
	check  signatureCheck
	checks map[string]signatureCheck // by kid
	tokens sync.Pool                 // of *token
	now    func() time.Time
}

// NewVerifier returns the verifier. The error says what is wrong with the lane's keys.
func NewVerifier(a Auth) (*Verifier, error) {
	method, err := methodOf(a.Key)
	if err != nil {
		return nil, err
	}
	if a.Lane == "" {
		return nil, errNoLane
	}
	check, err := checkOf(method, a.Key)
	if err != nil {
		return nil, err
	}
	checks := make(map[string]signatureCheck, len(a.Keys))
	for kid, key := range a.Keys {
		switch other, err := methodOf(key); {
		case err != nil:
			return nil, fmt.Errorf("%w (key %q)", err, kid)
		case other != method:
			return nil, fmt.Errorf("lane: key %q is for %s, not %s", kid, other.Alg(), method.Alg())
		}
		if checks[kid], err = checkOf(method, key); err != nil {
			return nil, err
		}
	}
	a.Header = headerName(a.Header)
	if a.Skew == 0 {
		a.Skew = DefaultSkew
	}
	a.Key, a.Keys = nil, nil // the checks have them
	return &Verifier{
		auth: a, alg: method.Alg(), usual: usualHeader(method.Alg()), check: check, checks: checks,
		tokens: sync.Pool{New: func() any { return new(token) }}, now: time.Now,
	}, nil
}

// signatureCheck says what is wrong with the signature of a text, by a key of its own.
type signatureCheck func(signed string, signature []byte) error

// checkOf returns the check by a key. Private keys are none to check with.
func checkOf(method jwt.SigningMethod, key any) (signatureCheck, error) {
	if secret, ok := key.([]byte); ok {
		return newHS256(secret).check, nil
	}
	if errors.Is(method.Verify("", nil, key), jwt.ErrInvalidKeyType) {
		return nil, fmt.Errorf("lane: cannot check signatures with a %T", key)
	}
	return func(signed string, signature []byte) error { return method.Verify(signed, signature, key) }, nil
}

// ticket is what a call has shown. It is good for one verifier, kind and id.
type ticket struct {
	of      *Verifier
	kind    protocol.Kind
	id      string
	hash    [hashSize]byte
	hasHash bool
	oddHash bool // it is of another length

	state confirmation
}

type confirmation uint8

const (
	admitted  confirmation = iota
	confirmed              // the hash is that of the body
	open                   // whether it is only the application's serializer can tell
)

// refused is the error of every call that a lane does not let in. The reason is for logs.
func (v *Verifier) refused(reason string) error {
	return &protocol.Error{Code: protocol.CodeUnauthorized, Err: fmt.Errorf("lane %s: %s", v.auth.Lane, reason)}
}

// Admit checks the token of a call, whose body need not have been read. What it finds out
// it keeps in the call's Ticket. The error is 401 UNAUTHORIZED. A nil Verifier lets
// everybody in.
func (v *Verifier) Admit(call *protocol.Call) error {
	if v == nil {
		return nil
	}
	if v.ticketOf(call) != nil {
		return nil
	}
	text := v.tokenOf(call.Header)
	if text == "" {
		return v.refused("no token")
	}
	if len(text) > maxToken {
		return v.refused("the token is too long")
	}
	t := v.tokens.Get().(*token)
	defer v.tokens.Put(t)
	if err := t.parse(text, v.usual); err != nil {
		return v.refused(err.Error())
	}
	if reason := v.wrong(t, call); reason != "" {
		return v.refused(reason)
	}
	if err := v.signed(t); err != nil {
		return v.refused(err.Error())
	}
	shown := &ticket{of: v, kind: call.Kind, id: call.ID, hasHash: t.hasHash, oddHash: len(t.hash) != hashSize}
	copy(shown.hash[:], t.hash)
	call.Ticket = shown
	return nil
}

func (v *Verifier) signed(t *token) error {
	check := v.check
	if other := v.checks[string(t.kid)]; len(t.kid) > 0 && other != nil {
		check = other
	}
	return check(t.signed, t.signature)
}

// wrong says what is wrong with a token for a call, "" for nothing.
func (v *Verifier) wrong(t *token, call *protocol.Call) string {
	now, skew := float64(v.now().Unix()), seconds(v.auth.Skew)
	switch {
	case !t.usual && string(t.alg) != v.alg:
		return fmt.Sprintf("the token is signed by %q, not %s", t.alg, v.alg)
	case string(t.lane) != v.auth.Lane:
		return "the token is for another lane"
	case string(t.capability) != produce:
		return fmt.Sprintf("the token's %s is not %q", claimCap, produce)
	case string(t.kind) != kindOf(call.Kind) && (t.hasKind || !v.auth.Unbound):
		return fmt.Sprintf("the token's %s is not %q", claimKind, kindOf(call.Kind))
	case string(t.target) != call.ID && (t.hasTarget || !v.auth.Unbound):
		return "the token is for another target"
	case !t.hasIssued || !t.hasExpires:
		return "the token does not say when it was made and ends"
	case t.expires < now-skew:
		return "the token has expired"
	case t.issued > now+skew:
		return "the token is from the future"
	case t.oddHash:
		return "the token's hash is no text"
	}
	return ""
}

// Confirm checks that the body of an admitted call is the one that its token is for. It
// admits a call that has not been. Calls without a JSON body have nothing to confirm. The
// error is 401 UNAUTHORIZED. See Claim.
func (v *Verifier) Confirm(call *protocol.Call) error {
	if v == nil {
		return nil
	}
	if err := v.Admit(call); err != nil {
		return err
	}
	t := v.ticketOf(call)
	if t.state != admitted || call.Body != nil || call.Form != nil {
		return nil
	}
	if !t.hasHash {
		if !v.auth.Unbound {
			return v.refused("the token has no hash of the body")
		}
		t.state = confirmed
		return nil
	}
	if t.oddHash { // no serializer's, and "" would be none to compare
		return v.refused("the token is for another body")
	}
	if t.isHashOf(bodyOf(call)) { // as all clients write it
		t.state = confirmed
		return nil
	}
	body := bytes.Join(bodyOf(call), nil)
	text, known := dialect.Normal(body)
	switch {
	case known && t.isHashOf([][]byte{text}):
		t.state = confirmed
	case known && !dialect.Special(body):
		return v.refused("the token is for another body")
	default:
		t.state = open
	}
	return nil
}

// Claim returns the hash that the token of a call claims if Confirm could not tell
// whether it is right: values with types of their own have several spellings, and the hash
// is that of the one which the application's serializer writes. Who runs the call must
// compare them. Empty means that there is nothing to compare.
func Claim(call *protocol.Call) string {
	if t, ok := call.Ticket.(*ticket); ok && t.state == open {
		return string(t.hash[:])
	}
	return ""
}

// ConfirmExact is Confirm for who has no such serializer: what cannot be told is refused.
func (v *Verifier) ConfirmExact(call *protocol.Call) error {
	if err := v.Confirm(call); err != nil || v == nil || Claim(call) == "" {
		return err
	}
	return v.refused("the token is for another body, or another spelling of it")
}

func (v *Verifier) ticketOf(call *protocol.Call) *ticket {
	t, ok := call.Ticket.(*ticket)
	if !ok || t.of != v || t.kind != call.Kind || t.id != call.ID {
		return nil
	}
	return t
}

// isHashOf reports whether the token's hash is that of these pieces together.
func (t *ticket) isHashOf(pieces [][]byte) bool {
	hash := hashOf(pieces...)
	return subtle.ConstantTimeCompare(t.hash[:], hash[:]) == 1
}

var (
	inputStart, payloadStart = []byte(`{"input":`), []byte(`{"payload":`)
	bodyEnd, returnedEnd     = []byte(`}`), []byte(`,"returnPayload":true}`)
	undefined                = []byte(protocol.Undefined)
)

// bodyOf returns the body that tokens are for, in pieces.
func bodyOf(call *protocol.Call) [][]byte {
	start, payload, end := inputStart, call.Payload, bodyEnd
	if payload == nil {
		payload = undefined
	}
	if call.Kind == protocol.KindEvent {
		start = payloadStart
		if call.ReturnPayload {
			end = returnedEnd
		}
	}
	return [][]byte{start, payload, end}
}

// tokenOf returns the token of a request with the header h, "" for none. Of several
// Authorization headers a Node.js server keeps the first.
func (v *Verifier) tokenOf(h http.Header) string {
	if v.auth.Header != DefaultHeader {
		return protocol.CombinedHeader(h, v.auth.Header)
	}
	text := strings.TrimSpace(h.Get(DefaultHeader))
	if scheme, token, ok := strings.Cut(text, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return text
}
