package schema

import (
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// inPlace returns the schemas that a schema applies to the same value.
func inPlace(s *jsonschema.Schema) []*jsonschema.Schema {
	all := append([]*jsonschema.Schema{s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else}, s.AllOf...)
	all = append(append(all, s.AnyOf...), s.OneOf...)
	if s.DynamicRef != nil {
		all = append(all, s.DynamicRef.Ref)
	}
	for _, dependent := range s.DependentSchemas {
		all = append(all, dependent)
	}
	for _, dependency := range s.Dependencies {
		if dependent, ok := dependency.(*jsonschema.Schema); ok {
			all = append(all, dependent)
		}
	}
	return all
}

// below returns the schemas that a schema applies to parts of a value.
func below(s *jsonschema.Schema) []*jsonschema.Schema {
	all := append([]*jsonschema.Schema{
		s.PropertyNames, s.UnevaluatedProperties, s.Contains, s.Items2020, s.UnevaluatedItems, s.ContentSchema,
	}, s.PrefixItems...)
	for _, property := range s.Properties {
		all = append(all, property)
	}
	for _, property := range s.PatternProperties {
		all = append(all, property)
	}
	for _, other := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		switch other := other.(type) {
		case *jsonschema.Schema:
			all = append(all, other)
		case []*jsonschema.Schema:
			all = append(all, other...)
		}
	}
	return all
}

// graph searches all schemas to which a schema refers.
type graph struct {
	state       map[*jsonschema.Schema]int8
	unevaluated map[string]*jsonschema.Schema
}

const (
	open   = 1 // it is on the current path, on which the value is the same
	closed = 2
)

// walk returns a schema that refers to itself for the same value, so that no value could ever be
// checked; nil if there is none.
func (g *graph) walk(s *jsonschema.Schema) *jsonschema.Schema {
	pending := []*jsonschema.Schema{s}
	for len(pending) > 0 {
		next := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if next == nil || g.state[next] == closed {
			continue
		}
		circle := g.visit(next, &pending)
		if circle != nil {
			return circle
		}
	}
	return nil
}

func (g *graph) visit(s *jsonschema.Schema, pending *[]*jsonschema.Schema) *jsonschema.Schema {
	switch g.state[s] {
	case open:
		return s
	case closed:
		return nil
	}
	g.state[s] = open
	for _, next := range inPlace(s) {
		if next != nil {
			if circle := g.visit(next, pending); circle != nil {
				return circle
			}
		}
	}
	g.state[s] = closed
	for _, other := range []*jsonschema.Schema{s.UnevaluatedProperties, s.UnevaluatedItems} {
		if other != nil {
			g.unevaluated[other.Location] = s
		}
	}
	*pending = append(*pending, below(s)...)
	return nil
}

// knows reports whether a schema, or one that it applies to the same value, defines a member or an
// item.
func knows(s *jsonschema.Schema, name string, seen map[*jsonschema.Schema]bool) bool {
	if s == nil || seen[s] {
		return false
	}
	seen[s] = true
	index, err := strconv.Atoi(name)
	isItem := err == nil
	switch {
	case s.Properties[name] != nil, s.AdditionalProperties != nil, isItem && index < len(s.PrefixItems),
		isItem && (s.Items2020 != nil || s.Items != nil || s.AdditionalItems != nil):
		return true
	}
	for re := range s.PatternProperties {
		if re.MatchString(name) {
			return true
		}
	}
	return slices.ContainsFunc(inPlace(s), func(next *jsonschema.Schema) bool { return knows(next, name, seen) })
}
