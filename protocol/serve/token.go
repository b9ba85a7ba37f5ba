package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Tokens is a set of tokens, of which a request must carry one. Only their hashes are kept.
// The zero value matches nothing. It is safe for concurrent use.
type Tokens struct {
	header string
	bearer bool
	hashes [][sha256.Size]byte
}

// NewTokens returns the set of these tokens. Requests carry them in the named header; empty
// means protocol.HeaderToken. Empty tokens are left out: they never authenticate. In the
// header Authorization, "Bearer <token>" is accepted as well.
func NewTokens(header string, tokens []string) Tokens {
	if header == "" {
		header = protocol.HeaderToken
	}
	t := Tokens{header: http.CanonicalHeaderKey(header)}
	t.bearer = t.header == "Authorization"
	for _, token := range tokens {
		if token == "" {
			continue
		}
		t.hashes = append(t.hashes, sha256.Sum256([]byte(token)))
		if latin1, differs := toLatin1(token); differs {
			t.hashes = append(t.hashes, sha256.Sum256(latin1))
		}
	}
	return t
}

// toLatin1 returns s as JavaScript clients write it into a header. Differs reports whether
// that is possible and is not the same as UTF-8.
func toLatin1(s string) (latin1 []byte, differs bool) {
	for _, r := range s {
		if r > 0xff {
			return nil, false
		}
		latin1 = append(latin1, byte(r))
	}
	return latin1, len(latin1) != len(s)
}

// Empty reports whether there is no token in the set.
func (t Tokens) Empty() bool { return len(t.hashes) == 0 }

// Match reports whether a request with the header h carries one of the tokens. Its time
// depends neither on the tokens nor on which of them matches.
func (t Tokens) Match(h http.Header) bool {
	got := protocol.CombinedHeader(h, t.header)
	if got == "" || t.Empty() {
		return false
	}
	matches := t.matches(got)
	if scheme, token, ok := strings.Cut(got, " "); ok && t.bearer && strings.EqualFold(scheme, "Bearer") {
		matches |= t.matches(strings.TrimLeft(token, " "))
	}
	return matches == 1
}

func (t Tokens) matches(token string) int {
	hash := sha256.Sum256([]byte(token))
	matches := 0
	for i := range t.hashes {
		matches |= subtle.ConstantTimeCompare(hash[:], t.hashes[i][:])
	}
	return matches
}
