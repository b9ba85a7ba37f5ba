package serializer

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/internal/dialect"
)

// graph is a document that lists objects apart and refers to them. It is read as the tree that it
// unfolds to; a shared object becomes one value or several copies.
type graph struct {
	nodes map[string]any
	done  map[string]resolved
	open  map[string]bool // these nodes are being decoded: a reference to one is a cycle
	left  int             // how many values it may still unfold to
}

type resolved struct {
	value  any
	size   int // how many values it unfolds to
	height int // how deep they are nested
}

// maxShared is how many values a graph may unfold to beyond those in its document. A few nodes
// that refer to each other twice, or often to a long text, cannot fill the memory.
const maxShared = 100_000

// asGraph returns the graph that a root object represents, nil if it is a plain object.
func asGraph(o *dialect.Object, length int) *graph {
	marker, _ := o.Get(graphKey)
	_, hasRoot := o.Get("root")
	if marker != true || !hasRoot {
		return nil
	}
	g := &graph{done: make(map[string]resolved), open: make(map[string]bool), left: length + maxShared}
	switch nodes, _ := o.Get("nodes"); nodes := nodes.(type) {
	case *dialect.Object:
		g.nodes = make(map[string]any, len(nodes.Members))
		for _, m := range nodes.Members {
			if !unsafeKey(m.Name) {
				g.nodes[m.Name] = m.Value
			}
		}
	case []any: // in JavaScript this is an object, too
		g.nodes = make(map[string]any, len(nodes))
		for i, node := range nodes {
			g.nodes[strconv.Itoa(i)] = node
		}
	default:
		return nil
	}
	return g
}

func (g *graph) count(values int) error {
	if g.left -= values; g.left < 0 {
		return errors.New("graph too large")
	}
	return nil
}

// reference returns the node that an object refers to.
func (d *decoding) reference(ref any, members int) (any, error) {
	id, isText := ref.(string)
	if !isText || members != 1 {
		return nil, errors.New("broken reference")
	}
	if known, ok := d.graph.done[id]; ok {
		if d.deepest = max(d.deepest, d.depth+known.height); d.deepest > protocol.MaxDepth {
			return nil, errDepth
		}
		return known.value, d.graph.count(known.size)
	}
	if d.graph.open[id] {
		return nil, errors.New("graph has a cycle")
	}
	if d.depth > protocol.MaxDepth {
		return nil, errDepth
	}
	d.depth++ // a reference adds as much depth as its node
	defer func() { d.depth-- }()
	d.graph.open[id] = true
	left, deepest := d.graph.left, d.deepest
	d.deepest = d.depth
	value, err := d.node(id)
	if err != nil {
		return nil, err
	}
	delete(d.graph.open, id)
	d.graph.done[id] = resolved{value, left - d.graph.left, d.deepest - d.depth}
	d.deepest = max(deepest, d.deepest)
	return value, nil
}

func (d *decoding) node(id string) (any, error) {
	node, ok := d.graph.nodes[id].(*dialect.Object)
	if !ok {
		return nil, fmt.Errorf("no node %q", id)
	}
	kind, _ := node.Get("kind")
	switch value, _ := node.Get("value"); kind {
	case "array":
		if items, ok := value.([]any); ok {
			return d.list(items)
		}
	case "object":
		if o, ok := value.(*dialect.Object); ok {
			return d.members(o)
		}
	case "type":
		name, _ := node.Get("type")
		if name, ok := name.(string); ok && !inline(name) {
			return d.typed(name, value)
		}
	}
	return nil, fmt.Errorf("node %q is broken", id)
}

// inline reports whether values of a type have no identity: the serializer never lists them as
// nodes, and would not restore all of them.
func inline(name string) bool {
	return decoderOf(name) != nil && name != "Map" && name != "Set" && name != "Error"
}
