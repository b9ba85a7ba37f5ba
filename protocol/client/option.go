package client

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Option changes one call.
type Option func(*request)

// WithRequestID sends an id, 1 to 128 characters of A-Z a-z 0-9 . _ : -, as x-runner-request-id.
// Without it, or if id is anything else, a call has a new UUID.
func WithRequestID(id string) Option {
	return func(r *request) { r.setRequestID(id) }
}

// WithHeader sends a header with this call only, instead of the client's header with the same
// name. Headers of the protocol have precedence.
func WithHeader(name, value string) Option {
	return func(r *request) { r.header.Set(name, latin1(value)) }
}

// WithLane signs the call for an RPC lane of a Runner 6 topology that needs a token, in addition
// to the client's own token. Each attempt has a new token, since tokens expire soon. The signer
// sets the header, instead of a client's header with the same name. Nil signs nothing.
func WithLane(signer LaneSigner) Option {
	return func(r *request) { r.signer = signer }
}

// LaneSigner makes tokens of a lane. Use a *lane.Signer of package protocol/lane, which this
// package does not import, so that users without lanes do not depend on it.
type LaneSigner interface {
	// Sign sets the header of a call that has its token. Body is the call's JSON, nil if it has
	// none. It is called concurrently.
	Sign(header http.Header, kind protocol.Kind, id string, body []byte) error
}

// RawContext is the value of an async context in its own serialised form.
type RawContext string

// WithContext sends an async context to the task or event: the context's id and its value, which
// the client's codec encodes unless it is a RawContext. A server uses it if it knows the id and
// accepts contexts, and ignores it otherwise. All contexts of a call together must fit into its
// HTTP headers, for which Node.js has 16 KiB.
func WithContext(id string, value any) Option {
	return func(r *request) {
		if r.contexts == nil {
			r.contexts = make(map[string]any)
		}
		r.contexts[id] = value
	}
}

// headerContext carries the async contexts.
const headerContext = "X-Runner-Context"

// contextHeader returns the value of headerContext: a JSON object of strings.
func (c *Client) contextHeader(contexts map[string]any) (string, error) {
	texts := make(map[string]string, len(contexts))
	for id, value := range contexts {
		if raw, ok := value.(RawContext); ok {
			texts[id] = string(raw)
			continue
		}
		text, err := c.encode(value)
		if err != nil {
			return "", fmt.Errorf("context %s: %w", id, err)
		}
		texts[id] = string(text)
	}
	text, err := json.MarshalWithOption(texts, json.DisableHTMLEscape())
	return ascii(string(text)), err
}

// ascii escapes the characters that are not ASCII, since Node.js reads headers as Latin-1. They
// are all inside strings.
func ascii(document string) string {
	var b strings.Builder
	for _, r := range document {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}
