package dialect

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Types caches the fields of struct types. The zero value is ready to use.
type Types struct {
	cache sync.Map // reflect.Type to *fields
	holds sync.Map // reflect.Type to bool, the result of Hold
}

// fields are the fields of a struct type in JSON, by the rules of encoding/json.
type fields struct {
	list   []*field
	byName map[string]*field
	folded map[string]*field // by names without regard to case
}

type field struct {
	name                          string
	index                         []int
	tagged                        bool
	omitEmpty, omitZero, asString bool
}

func (t *Types) fields(typ reflect.Type) *fields {
	if known, ok := t.cache.Load(typ); ok {
		return known.(*fields)
	}
	known, _ := t.cache.LoadOrStore(typ, fieldsOf(typ))
	return known.(*fields)
}

// fieldsOf searches embedded structs level by level. A name on a level hides the same name on
// deeper levels. If several fields on one level have a name, the only one with a tag counts, or
// none.
func fieldsOf(typ reflect.Type) *fields {
	found := &fields{byName: make(map[string]*field), folded: make(map[string]*field)}
	type embedded struct {
		typ   reflect.Type
		index []int
	}
	level, visited, hidden := []embedded{{typ: typ}}, make(map[reflect.Type]bool), make(map[string]bool)
	for len(level) > 0 {
		var next []embedded
		candidates := make(map[string][]*field)
		for _, e := range level {
			for i := range e.typ.NumField() {
				sf := e.typ.Field(i)
				f, inner := parseField(sf, append(slices.Clone(e.index), i))
				if f != nil {
					candidates[f.name] = append(candidates[f.name], f)
				} else if inner != nil && !visited[inner] {
					next = append(next, embedded{inner, append(slices.Clone(e.index), i)})
				}
			}
		}
		for name, same := range candidates {
			if winner := dominant(same); winner != nil && !hidden[name] {
				found.byName[name] = winner
			}
			hidden[name] = true
		}
		for _, e := range next {
			visited[e.typ] = true
		}
		level = next
	}
	for _, f := range found.byName {
		found.list = append(found.list, f)
	}
	slices.SortFunc(found.list, func(a, b *field) int { return slices.Compare(a.index, b.index) })
	for _, f := range found.list {
		if folded := strings.ToLower(f.name); found.folded[folded] == nil {
			found.folded[folded] = f
		}
	}
	return found
}

func dominant(same []*field) *field {
	if len(same) == 1 {
		return same[0]
	}
	var winner *field
	for _, f := range same {
		if f.tagged {
			if winner != nil {
				return nil
			}
			winner = f
		}
	}
	return winner
}

// parseField returns a field, or the type of an embedded struct whose fields belong to this one,
// or neither.
func parseField(sf reflect.StructField, index []int) (*field, reflect.Type) {
	tag := sf.Tag.Get("json")
	name, options, _ := strings.Cut(tag, ",")
	if tag == "-" {
		return nil, nil
	}
	typ := sf.Type
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	isEmbedded := sf.Anonymous && name == "" && typ.Kind() == reflect.Struct
	switch {
	case isEmbedded && (sf.IsExported() || sf.Type.Kind() == reflect.Struct):
		return nil, typ
	case !sf.IsExported():
		return nil, nil
	}
	f := &field{name: name, index: index, tagged: name != ""}
	if name == "" {
		f.name = sf.Name
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			f.omitEmpty = true
		case "omitzero":
			f.omitZero = true
		case "string":
			f.asString = quotable(typ.Kind())
		}
	}
	return f, nil
}

func quotable(kind reflect.Kind) bool {
	return kind >= reflect.Bool && kind <= reflect.Float64 || kind == reflect.String
}

func (f *fields) find(name string) *field {
	if exact := f.byName[name]; exact != nil {
		return exact
	}
	return f.folded[strings.ToLower(name)]
}

// in returns the field of a struct. If create is true, it makes the embedded structs on the path;
// otherwise the field is invalid if one of them is missing.
func (f *field) in(v reflect.Value, create bool) reflect.Value {
	for n, i := range f.index {
		if n > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !create {
					return reflect.Value{}
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}

func (f *field) omitted(v reflect.Value) bool {
	if f.omitZero {
		if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
			if v.Kind() == reflect.Pointer && v.IsNil() || z.IsZero() {
				return true
			}
		} else if v.IsZero() {
			return true
		}
	}
	if !f.omitEmpty {
		return false
	}
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
