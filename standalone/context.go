package standalone

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// headerContext carries a caller's async contexts: a JSON object of ids and serialized values,
// which are strings.
const headerContext = "X-Runner-Context"

// ContextValue returns the value of an async context that the caller of a typed handler has sent,
// decoded in the dialect of its registry. It reports false if the caller has sent none with that
// id, or if it does not fit a T: as in Runner, an unreadable context counts as absent. The value
// may be kept.
//
// The value is only a claim of the caller.
func ContextValue[T any](ctx context.Context, id string) (value T, ok bool) {
	text, ok := RawContextValue(ctx, id)
	if !ok || text == protocol.Undefined {
		return value, ok // a context may have the value undefined
	}
	if s, _ := ctx.Value(scopeKey{}).(scope); unmarshal(s.codec, text, &value) != nil {
		var zero T
		return zero, false
	}
	return value, true
}

// RawContextValue is like ContextValue, but does not decode the value. It is for contexts whose
// own serialize function does not write the dialect.
func RawContextValue(ctx context.Context, id string) (text string, ok bool) {
	s, ok := ctx.Value(scopeKey{}).(scope)
	if !ok {
		return "", false
	}
	var texts map[string]any
	all := utf8OfLatin1(protocol.CombinedHeader(s.call.Header, headerContext))
	if all == "" || unmarshal(s.codec, all, &texts) != nil {
		return "", false
	}
	text, ok = texts[id].(string)
	return text, ok
}

// unmarshal decodes a text that nothing has checked: encoding/json has its own limits.
func unmarshal(codec protocol.Codec, text string, v any) error {
	if codec == nil {
		return json.Unmarshal([]byte(text), v)
	}
	return codec.Unmarshal([]byte(text), v)
}

// utf8OfLatin1 decodes a header as Node.js does: each byte is a character.
func utf8OfLatin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}
