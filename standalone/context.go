package standalone

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// headerContext carries a caller's async contexts: a JSON object with the serialized
// value of each, which is a text, by id.
const headerContext = "X-Runner-Context"

// ContextValue returns the value of an async context that the caller of a typed handler
// has sent along, decoded in the dialect of its registry. It reports false if there is
// none of that id, or if it does not fit a T: as in Runner, a context that cannot be read
// is one that was not sent. It may be kept.
//
// Callers send what they like: a context says what its caller claims, and no more.
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

// RawContextValue is ContextValue without decoding the value: for contexts whose own
// serialize function writes something else than the dialect.
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

// unmarshal is for texts that nothing has checked yet: encoding/json has its own limits.
func unmarshal(codec protocol.Codec, text string, v any) error {
	if codec == nil {
		return json.Unmarshal([]byte(text), v)
	}
	return codec.Unmarshal([]byte(text), v)
}

// utf8OfLatin1 reads a header's bytes as Node.js reads them, each as a character.
func utf8OfLatin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}
