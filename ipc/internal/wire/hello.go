package wire

import (
	"errors"
	"slices"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Hello is the first message of a worker, and every later one that replaces it. Its twin is
// encodeHello in ipc/node/lib/frames.js, which writes only the members that it names.
type Hello struct {
	Version    int                        `json:"wire"`
	Runtime    string                     `json:"runtime"`
	Package    string                     `json:"version"` // of @bluelibs/tunnel-worker, empty for a worker without it
	Tasks      []string                   `json:"tasks"`   // nothing may be called if Tasks and Events are nil
	Events     []string                   `json:"events"`
	Idempotent []string                   `json:"idempotent"` // tasks that may run twice
	Auth       bool                       `json:"auth"`       // it has an authenticate function
	Schemas    map[string]json.RawMessage `json:"schemas"`    // of inputs, by id
	Aliases    map[string]string          `json:"aliases"`    // other names of tasks and events
	Lanes      []Lane                     `json:"lanes"`      // that need a token of their own
}

// Lane is an RPC lane of a hello. It holds secrets, which nothing may log.
type Lane struct {
	Name    string            `json:"lane"`
	Header  string            `json:"header"`
	Secret  string            `json:"secret"`  // for HS256; empty if there are keys
	Key     string            `json:"key"`     // a public key in PEM
	Keys    map[string]string `json:"keys"`    // by kid
	Skew    int64             `json:"skew"`    // ms
	Unbound bool              `json:"unbound"` // tokens need neither target nor hash
	Tasks   []string          `json:"tasks"`
	Events  []string          `json:"events"`
}

// ParseHello parses the line of a message of type hello that ParseMessage has accepted.
func ParseHello(line []byte) (*Hello, error) {
	h := &Hello{}
	if err := json.Unmarshal(line, h); err != nil {
		return nil, errors.Join(errInvalid, err)
	}
	return h, nil
}

// AllowList returns the tasks and events that may be called, nil if there are none.
func (h *Hello) AllowList() *protocol.AllowList {
	if h.Tasks == nil && h.Events == nil {
		return nil
	}
	return protocol.NewAllowList(slices.Clone(h.Tasks), slices.Clone(h.Events)).WithAliases(h.Aliases)
}

// Announced returns the schemas by kind. A worker announces them by id only. An id that it does not
// serve yet counts as a task.
func (h *Hello) Announced() protocol.Schemas {
	s := protocol.Schemas{Tasks: map[string]json.RawMessage{}, Events: map[string]json.RawMessage{}}
	for id, schema := range h.Schemas {
		event := slices.Contains(h.Events, id)
		if event {
			s.Events[id] = schema
		}
		if !event || slices.Contains(h.Tasks, id) {
			s.Tasks[id] = schema
		}
	}
	return s
}
