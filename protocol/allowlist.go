package protocol

import (
	"maps"
	"slices"
)

// AllowList says which tasks and events callers may reach. A nil *AllowList is
// closed: nothing may be reached, and discovery says so. It never changes, and is
// safe for concurrent use.
type AllowList struct {
	ids  [2]map[string]struct{}
	json []byte
}

// allowListJSON is the result of discovery.
type allowListJSON struct {
	AllowList struct {
		Enabled bool     `json:"enabled"`
		Tasks   []string `json:"tasks"`
		Events  []string `json:"events"`
	} `json:"allowList"`
}

// NewAllowList returns the list of these task and event ids. Discovery shows them
// in this order, each once.
func NewAllowList(tasks, events []string) *AllowList {
	a := &AllowList{}
	var doc allowListJSON
	doc.AllowList.Enabled = true
	a.ids[KindTask], doc.AllowList.Tasks = distinct(tasks)
	a.ids[KindEvent], doc.AllowList.Events = distinct(events)
	a.json = doc.encode()
	return a
}

// Allows reports whether id may be reached as a kind.
func (a *AllowList) Allows(kind Kind, id string) bool {
	if a == nil {
		return false
	}
	_, ok := a.ids[kind][id]
	return ok
}

// IDs returns the ids of a kind, sorted.
func (a *AllowList) IDs(kind Kind) []string {
	if a == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(a.ids[kind]))
}

// Discovery returns the list as the JSON result of discovery. It must not be changed.
func (a *AllowList) Discovery() []byte {
	if a == nil {
		return closedDiscovery
	}
	return a.json
}

var closedDiscovery = (&allowListJSON{}).encode()

func (d *allowListJSON) encode() []byte {
	if d.AllowList.Tasks == nil {
		d.AllowList.Tasks = []string{}
	}
	if d.AllowList.Events == nil {
		d.AllowList.Events = []string{}
	}
	doc, err := encode(d)
	if err != nil {
		panic(err) // strings and booleans can be encoded
	}
	return doc
}

func distinct(ids []string) (set map[string]struct{}, ordered []string) {
	set = make(map[string]struct{}, len(ids))
	for _, id := range ids {
		if _, twice := set[id]; !twice {
			set[id] = struct{}{}
			ordered = append(ordered, id)
		}
	}
	return set, ordered
}
