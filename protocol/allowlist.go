package protocol

import (
	"maps"
	"slices"
)

// AllowList is the list of tasks and events that callers may reach. A nil *AllowList is
// closed: callers may reach nothing, and discovery says so. A list never changes, and is safe
// for concurrent use.
type AllowList struct {
	ids     [2]map[string]struct{}
	aliases map[string]string
	json    []byte
}

// allowListJSON is the result of discovery.
type allowListJSON struct {
	AllowList struct {
		Enabled bool     `json:"enabled"`
		Tasks   []string `json:"tasks"`
		Events  []string `json:"events"`
	} `json:"allowList"`
}

// NewAllowList returns the list of these task and event ids. Discovery shows them in this
// order, each of them once.
func NewAllowList(tasks, events []string) *AllowList {
	a := &AllowList{}
	var doc allowListJSON
	doc.AllowList.Enabled = true
	a.ids[KindTask], doc.AllowList.Tasks = distinct(tasks)
	a.ids[KindEvent], doc.AllowList.Events = distinct(events)
	a.json = doc.encode()
	return a
}

// WithAliases returns the list with aliases of its ids, for example Runner 6's short ids. An
// alias of an id that is not on the list is ignored. Discovery shows no aliases.
func (a *AllowList) WithAliases(aliases map[string]string) *AllowList {
	if a == nil {
		return nil
	}
	with := *a
	with.aliases = maps.Clone(aliases)
	return &with
}

// Aliases returns a copy of the aliases, each with its id.
func (a *AllowList) Aliases() map[string]string {
	if a == nil {
		return nil
	}
	return maps.Clone(a.aliases)
}

// Resolve returns the id of a kind that id is an alias of, or id itself. An id of the list is
// never an alias.
func (a *AllowList) Resolve(kind Kind, id string) string {
	if a == nil || a.aliases == nil || a.Allows(kind, id) {
		return id
	}
	if full, ok := a.aliases[id]; ok && a.Allows(kind, full) {
		return full
	}
	return id
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
