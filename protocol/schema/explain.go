package schema

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// explain adds to an error of the compiler the document and the place in it.
func (c *compiler) explain(address string, err error) error {
	var (
		broken  *jsonschema.SchemaValidationError
		missing *jsonschema.LoadURLError
		pointer *jsonschema.JSONPointerNotFoundError
		anchor  *jsonschema.AnchorNotFoundError
		regex   *jsonschema.InvalidRegexError
		circle  *circleError
	)
	target := ""
	switch {
	case errors.As(err, &circle):
		return c.at(circle.location, err)
	case errors.As(err, &regex):
		return c.at(regex.URL, fmt.Errorf("the pattern %q is %w", regex.Regex, regex.Err))
	case errors.As(err, &broken):
		address, _, _ = strings.Cut(broken.URL, "#")
		err = c.brokenSchema(address, broken.Err)
	case errors.As(err, &missing):
		target = missing.URL
		err = fmt.Errorf("refers to %s, but %w", missing.URL, missing.Err)
	case errors.As(err, &pointer):
		target = pointer.URL
	case errors.As(err, &anchor):
		target = anchor.Reference
	}
	name := c.names[address]
	if found, where := c.refersTo(address, target); target != "" && where != "" {
		return fmt.Errorf("schema of %s, at %s: %w", c.names[found], where, err)
	}
	return fmt.Errorf("schema of %s: %w", name, err)
}

// at adds to an error the place in a document.
func (c *compiler) at(location string, err error) error {
	address, pointer, _ := strings.Cut(location, "#")
	if decoded, invalid := url.PathUnescape(pointer); invalid == nil {
		pointer = decoded
	}
	if pointer == "" {
		return fmt.Errorf("schema of %s: %w", c.names[address], err)
	}
	return fmt.Errorf("schema of %s, at %s: %w", c.names[address], pointer, err)
}

// brokenSchema returns the errors in a schema.
func (c *compiler) brokenSchema(address string, err error) error {
	var found *jsonschema.ValidationError
	if !errors.As(err, &found) {
		return err
	}
	var all []string
	for _, issue := range issuesOf(found, nil) {
		all = append(all, issue.Error())
	}
	if len(all) == 0 {
		// A wrong name of a member: the validator has the wrong pointer for it.
		if name := wrongName(found); name != "" {
			all = append(all, findMember(c.documents[address], "", name)+" has a name that is not allowed")
		}
	}
	if cause := formatError(found); cause != nil {
		all = append(all, cause.Error())
	}
	return errors.New(strings.Join(all, "; "))
}

// wrongName returns a name that a member must not have.
func wrongName(e *jsonschema.ValidationError) string {
	if names, ok := e.ErrorKind.(*kind.PropertyNames); ok {
		return names.Property
	}
	for _, cause := range e.Causes {
		if name := wrongName(cause); name != "" {
			return name
		}
	}
	return ""
}

// findMember returns the pointer of the first member of patternProperties with a name.
func findMember(node any, at, name string) string {
	switch node := node.(type) {
	case map[string]any:
		if patterns, ok := node["patternProperties"].(map[string]any); ok && patterns[name] != nil {
			return at + "/patternProperties/" + escapeToken.Replace(name)
		}
		for _, keyword := range slices.Sorted(maps.Keys(node)) {
			if pointer := findMember(node[keyword], at+"/"+escapeToken.Replace(keyword), name); pointer != "" {
				return pointer
			}
		}
	case []any:
		for i, item := range node {
			if pointer := findMember(item, at+"/"+strconv.Itoa(i), name); pointer != "" {
				return pointer
			}
		}
	}
	return ""
}

// formatError returns why a value, usually a pattern, does not have its format.
func formatError(e *jsonschema.ValidationError) error {
	if format, ok := e.ErrorKind.(*kind.Format); ok {
		return format.Err
	}
	for _, cause := range e.Causes {
		if err := formatError(cause); err != nil {
			return err
		}
	}
	return nil
}

// refersTo looks for the reference to a target: in the document at an address, then in the others.
func (c *compiler) refersTo(address, target string) (found, pointer string) {
	for _, found := range append([]string{address}, slices.Sorted(maps.Keys(c.documents))...) {
		if pointer := findReference(c.documents[found], "", target); pointer != "" {
			return found, pointer
		}
	}
	return "", ""
}

func findReference(node any, at, target string) string {
	switch node := node.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(node)) {
			here := at + "/" + escapeToken.Replace(name)
			if ref, ok := node[name].(string); ok && leadsTo(name, ref, target) {
				return here
			}
			if pointer := findReference(node[name], here, target); pointer != "" {
				return pointer
			}
		}
	case []any:
		for i, item := range node {
			if pointer := findReference(item, at+"/"+strconv.Itoa(i), target); pointer != "" {
				return pointer
			}
		}
	}
	return ""
}

// leadsTo guesses: certainty would need all the work of the compiler.
func leadsTo(name, ref, target string) bool {
	if name != "$ref" && name != "$dynamicRef" && name != "$schema" {
		return false
	}
	if !strings.Contains(target, "#") {
		ref, _, _ = strings.Cut(ref, "#")
	}
	ref = strings.TrimLeft(ref, "./")
	return ref != "" && strings.HasSuffix(target, ref)
}
