package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Issue is one error in a document.
type Issue struct {
	// Pointer is the JSON pointer (RFC 6901) of the value; empty for the document itself. For a
	// missing member it is the pointer that the member would have. At most 200 bytes.
	Pointer string `json:"pointer"`
	// Reason continues a sentence about the value: "must be a number, is a string". It has nothing
	// of the value but its type or size. At most 200 bytes.
	Reason string `json:"reason"`
}

// Error returns both.
func (i Issue) Error() string {
	if i.Pointer == "" {
		return "the document " + i.Reason
	}
	return i.Pointer + " " + i.Reason
}

// These bound an answer.
const (
	maxIssues = 20
	maxText   = 200  // the size of a pointer or a reason
	maxFound  = 1000 // issues that are sorted to find the first ones
)

func newIssue(pointer, reason string) Issue {
	return Issue{Pointer: shorten(pointer), Reason: shorten(reason)}
}

func shorten(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText - len("…")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

func appendToken(pointer *strings.Builder, name string) {
	if pointer.Len() > maxText { // it is shortened later
		return
	}
	pointer.WriteByte('/')
	_, _ = escapeToken.WriteString(pointer, name)
}

var escapeToken = strings.NewReplacer("~", "~0", "/", "~1")

// issuesOf returns the errors of the validator, sorted and without duplicates. Unevaluated has the
// schemas of unevaluatedProperties and unevaluatedItems.
func issuesOf(found *jsonschema.ValidationError, unevaluated map[string]*jsonschema.Schema) []Issue {
	c := collector{unevaluated: unevaluated}
	c.add(found)
	if len(c.issues) == 0 {
		c.unevaluated = nil
		c.add(found)
	}
	slices.SortFunc(c.issues, func(a, b Issue) int {
		return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(a.Reason, b.Reason))
	})
	c.issues = slices.Compact(c.issues)
	return c.issues[:min(len(c.issues), maxIssues)]
}

// collector makes a list of the leaves of a tree of errors.
type collector struct {
	issues      []Issue
	unevaluated map[string]*jsonschema.Schema
}

func (c *collector) add(e *jsonschema.ValidationError) {
	if len(c.issues) >= maxFound || c.follows(e) {
		return
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		c.each(e, k.Missing, "is missing")
	case *kind.DependentRequired:
		c.each(e, k.Missing, "is missing")
	case *kind.AdditionalProperties:
		c.each(e, k.Properties, "is not allowed")
	case *kind.PropertyNames:
		// The validator's own errors may have the pointer of another value.
		if e.Causes == nil {
			c.each(e, []string{k.Property}, "has a name that is not allowed")
		}
	case *kind.Contains, *kind.MinContains:
		c.put(e.InstanceLocation, reason(k)) // the causes say why each item does not match
	case *kind.AnyOf, *kind.OneOf:
		c.put(e.InstanceLocation, reason(k))
		c.causes(e)
	default:
		if e.Causes == nil {
			c.put(e.InstanceLocation, reason(k))
		}
		c.causes(e)
	}
}

// follows reports whether a member or an item counts as unevaluated only because a schema that
// defines it has failed for another reason, which is an issue of its own.
func (c *collector) follows(e *jsonschema.ValidationError) bool {
	parent := c.unevaluated[e.SchemaURL]
	if parent == nil || len(e.InstanceLocation) == 0 {
		return false
	}
	return knows(parent, e.InstanceLocation[len(e.InstanceLocation)-1], map[*jsonschema.Schema]bool{})
}

func (c *collector) causes(e *jsonschema.ValidationError) {
	for _, cause := range e.Causes {
		c.add(cause)
	}
}

func (c *collector) each(e *jsonschema.ValidationError, members []string, reason string) {
	for _, name := range members {
		if len(c.issues) < maxFound {
			c.put(append(e.InstanceLocation[:len(e.InstanceLocation):len(e.InstanceLocation)], name), reason)
		}
	}
}

func (c *collector) put(location []string, reason string) {
	var pointer strings.Builder
	for _, name := range location {
		appendToken(&pointer, name)
	}
	c.issues = append(c.issues, newIssue(pointer.String(), reason))
}

// reason returns the requirement of a keyword, with the same words on every machine.
func reason(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "must be " + strings.Join(k.Want, " or ") + ", is " + k.Got
	case *kind.Enum:
		return "must be one of " + list(k.Want)
	case *kind.Const:
		return "must be " + text(k.Want)
	case *kind.Format:
		return "must be in the format " + formatName(k.Want)
	case *kind.Pattern:
		return "must match the pattern " + k.Want
	case *kind.MinLength:
		return fmt.Sprintf("must have at least %d characters, has %d", k.Want, k.Got)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters, has %d", k.Want, k.Got)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d items, has %d", k.Want, k.Got)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d items, has %d", k.Want, k.Got)
	case *kind.AdditionalItems:
		return fmt.Sprintf("has %d items too many", k.Count)
	case *kind.MinProperties:
		return fmt.Sprintf("must have at least %d members, has %d", k.Want, k.Got)
	case *kind.MaxProperties:
		return fmt.Sprintf("must have at most %d members, has %d", k.Want, k.Got)
	case *kind.UniqueItems:
		return fmt.Sprintf("must have no equal items, but %d and %d are", k.Duplicates[0], k.Duplicates[1])
	case *kind.Minimum:
		return "must be at least " + number(k.Want)
	case *kind.Maximum:
		return "must be at most " + number(k.Want)
	case *kind.ExclusiveMinimum:
		return "must be more than " + number(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be less than " + number(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + number(k.Want)
	case *kind.Contains:
		return "has no item that it must have"
	case *kind.MinContains:
		return fmt.Sprintf("must have at least %d items of a kind, has %d", k.Want, len(k.Got))
	case *kind.MaxContains:
		return fmt.Sprintf("must have at most %d items of a kind, has %d", k.Want, len(k.Got))
	case *kind.AnyOf:
		return "matches none of the alternatives"
	case *kind.OneOf:
		if k.Subschemas == nil {
			return "matches none of the alternatives"
		}
		return "matches more than one of the alternatives"
	case *kind.FalseSchema:
		return "is not allowed"
	}
	return "is not valid"
}

func number(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func text(v any) string {
	encoded, err := json.Marshal(v)
	if err != nil {
		return "another value"
	}
	return string(encoded)
}

func list(values []any) string {
	var all []string
	for _, v := range values[:min(len(values), maxText/2)] {
		all = append(all, text(v))
	}
	return strings.Join(all, ", ")
}
