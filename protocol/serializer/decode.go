package serializer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/internal/dialect"
)

// decoding decodes one document from JSON to the values of the dialect.
type decoding struct {
	codec   *Codec
	depth   int
	deepest int    // the deepest value so far
	graph   *graph // nil in tree form
}

// decode returns the value of a checked document.
func (c *Codec) decode(data []byte) (any, error) {
	d := decoding{codec: c}
	root := dialect.Parse(data)
	if o, ok := root.(*dialect.Object); ok {
		if d.graph = asGraph(o, len(data)); d.graph != nil {
			root, _ = o.Get("root")
		}
	}
	return d.value(root)
}

var errDepth = fmt.Errorf("nested deeper than %d", protocol.MaxDepth)

// value decodes the values inside v, and returns the value that v represents. A tree is as deep as
// its document, which was checked; a graph may be deeper.
func (d *decoding) value(v any) (any, error) {
	if d.depth > protocol.MaxDepth {
		return nil, errDepth
	}
	d.deepest = max(d.deepest, d.depth)
	d.depth++
	defer func() { d.depth-- }()
	if d.graph != nil {
		if err := d.graph.count(1 + textCost(v)); err != nil {
			return nil, err
		}
	}
	switch v := v.(type) {
	case []any:
		return d.list(v)
	case *dialect.Object:
		return d.object(v)
	}
	return v, nil
}

// textCost returns how many further values the text of a value counts as: if it is shared,
// decoding may copy it.
func textCost(v any) int {
	const perValue = 64 // bytes
	switch v := v.(type) {
	case string:
		return len(v) / perValue
	case json.Number:
		return len(v) / perValue
	}
	return 0
}

func (d *decoding) list(items []any) (any, error) {
	decoded := make([]any, len(items), len(items)+1) // see identity
	for i, item := range items {
		v, err := d.value(item)
		if err != nil {
			return nil, err
		}
		decoded[i] = v
	}
	return decoded, nil
}

func (d *decoding) object(o *dialect.Object) (any, error) {
	if d.graph != nil {
		if id, isRef := o.Get("__ref"); isRef {
			return d.reference(id, len(o.Members))
		}
	}
	if name, ok := o.Get(typeKey); ok {
		name, isText := name.(string)
		if payload, hasValue := o.Get("value"); isText && hasValue {
			return d.typed(name, payload)
		}
	}
	return d.members(o)
}

func (d *decoding) members(o *dialect.Object) (any, error) {
	decoded := &dialect.Object{Members: make([]dialect.Member, 0, len(o.Members))}
	escaped := false
	for _, m := range o.Members {
		name := m.Name
		if d.graph == nil {
			var found bool
			name, found = strings.CutPrefix(name, escapePrefix)
			escaped = escaped || found
		}
		if unsafeKey(name) {
			continue
		}
		if d.graph != nil {
			if err := d.graph.count(textCost(name)); err != nil {
				return nil, err
			}
		}
		v, err := d.value(m.Value)
		if err != nil {
			return nil, err
		}
		decoded.Members = append(decoded.Members, dialect.Member{Name: name, Value: v})
	}
	if escaped && ambiguous(decoded.Members) {
		return nil, fmt.Errorf("two members have one name")
	}
	return decoded, nil
}

// ambiguous reports whether members have the same name after decoding the prefix. The serializer
// never writes such an object, and which member it would read depends on details.
func ambiguous(members []dialect.Member) bool {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.Name
	}
	slices.Sort(names)
	return len(slices.Compact(names)) < len(members)
}

// typed decodes a value of the named type.
func (d *decoding) typed(name string, payload any) (any, error) {
	if allowed := d.codec.AllowedTypes; allowed != nil && !slices.Contains(allowed, name) {
		return nil, fmt.Errorf("type %q is not allowed", name)
	}
	typ, isCustom := d.codec.custom.byID[name]
	decoder := decoderOf(name)
	if decoder == nil && !isCustom {
		return nil, fmt.Errorf("type %q is unknown", name)
	}
	v, err := d.value(payload)
	if err != nil {
		return nil, err
	}
	if isCustom {
		return d.codec.newCustom(typ, v)
	}
	return decoder(v)
}
