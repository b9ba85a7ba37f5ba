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

// DefaultSkew is the largest difference of clocks unless an Auth sets another one.
const DefaultSkew = 30 * time.Second

// maxToken is the length of the longest accepted token, in bytes.
const maxToken = 8 << 10

var errNoLane = errors.New("lane: a lane needs an id")

// Auth configures the check of a lane's tokens. Lane and Key are required.
type Auth struct {
	// Lane is the id of the lane in its declaration.
	Lane string
	// Key is the secret of the lane, a []byte (HS256), or the public key of its callers: an
	// ed25519.PublicKey (EdDSA), an *ecdsa.PublicKey on the curve P-256 (ES256, with signatures in
	// DER, as Runner writes them) or an *rsa.PublicKey (RS256).
	Key any
	// Keys has further keys of the same type, by the kid of their tokens. Key is for all other
	// tokens.
	Keys map[string]any
	// Header is the header that has the token. Empty means DefaultHeader, in which it may follow
	// "Bearer ".
	Header string
	// Skew is the largest difference of callers' clocks, in whole seconds. Zero means DefaultSkew,
	// less than a second none. If it is negative, tokens must be valid for that much longer.
	Skew time.Duration
	// Unbound also accepts tokens for every call of the lane, without kind, target and hash, as
	// Runner 6.0 to 6.3 makes them. If a token has any of these, it must be right.
	Unbound bool
}

// Verifier checks the tokens of one lane. NewVerifier makes a Verifier. It is safe for concurrent
// use.
type Verifier struct {
	auth   Auth // without its keys
	alg    string
	usual  string // the usual header of a token
	check  signatureCheck
	checks map[string]signatureCheck // by kid
	tokens sync.Pool                 // of *token
	now    func() time.Time
}

// NewVerifier returns a verifier. It returns an error if a key is invalid.
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

// signatureCheck returns an error if the signature of a text is wrong. It has its own key.
type signatureCheck func(signed string, signature []byte) error

// checkOf returns the check by a key, which must not be a private key.
func checkOf(method jwt.SigningMethod, key any) (signatureCheck, error) {
	if secret, ok := key.([]byte); ok {
		return newHS256(secret).check, nil
	}
	if errors.Is(method.Verify("", nil, key), jwt.ErrInvalidKeyType) {
		return nil, fmt.Errorf("lane: cannot check signatures with a %T", key)
	}
	return func(signed string, signature []byte) error { return method.Verify(signed, signature, key) }, nil
}

// ticket has the result of a call's token. It is valid for one verifier, kind and id.
type ticket struct {
	of      *Verifier
	kind    protocol.Kind
	id      string
	hash    [hashSize]byte
	hasHash bool
	oddHash bool // the hash has another length

	state confirmation
}

type confirmation uint8

const (
	admitted  confirmation = iota
	confirmed              // the hash is right
	open                   // only the application's serializer can check the hash
)

// refused returns the error of a call that a lane refuses. The reason is for logs.
func (v *Verifier) refused(reason string) error {
	return &protocol.Error{Code: protocol.CodeUnauthorized, Err: fmt.Errorf("lane %s: %s", v.auth.Lane, reason)}
}

// Admit checks the token of a call, whose body need not have been read. It stores the result in
// the call's Ticket. The error is 401 UNAUTHORIZED. A nil Verifier accepts all calls.
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

// wrong returns why a token is not valid for a call, "" if it is.
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

// Confirm checks that the token of an admitted call is for its body. It admits the call if Admit
// has not been called. Calls without a JSON body need no confirmation. The error is 401
// UNAUTHORIZED. See Claim.
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
	if t.oddHash { // no serializer writes it, and Claim could not return it
		return v.refused("the token is for another body")
	}
	if t.isHashOf(bodyOf(call)) { // all clients write the body in this form
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

// Claim returns the hash in the token of a call if Confirm could not check it: values with types
// of their own have several forms, and the hash is that of the form that the application's
// serializer writes. The executor must compare the hashes. Empty means that there is nothing to
// compare.
func Claim(call *protocol.Call) string {
	if t, ok := call.Ticket.(*ticket); ok && t.state == open {
		return string(t.hash[:])
	}
	return ""
}

// ConfirmExact is Confirm for executors without such a serializer: it refuses hashes that cannot
// be checked.
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

// isHashOf reports whether the token has the hash of the concatenated pieces.
func (t *ticket) isHashOf(pieces [][]byte) bool {
	hash := hashOf(pieces...)
	return subtle.ConstantTimeCompare(t.hash[:], hash[:]) == 1
}

var (
	inputStart, payloadStart = []byte(`{"input":`), []byte(`{"payload":`)
	bodyEnd, returnedEnd     = []byte(`}`), []byte(`,"returnPayload":true}`)
	undefined                = []byte(protocol.Undefined)
)

// bodyOf returns the body that a token is for, in pieces.
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

// tokenOf returns the token of a request with the header h, "" if it has none. If there are
// several Authorization headers, the first counts, as for a Node.js server.
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
