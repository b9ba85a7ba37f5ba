package schema

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// compiler has all documents that a schema may refer to.
type compiler struct {
	options   *Options
	documents map[string]any
	names     map[string]string // of the documents, for errors
	exact     map[string]bool   // the documents of Go types
	broken    map[string]error  // those that could not be read, if the others are to be served
	proto     bool              // one of them names __proto__
	patterns  patterns
}

func newCompiler(options *Options) *compiler {
	return &compiler{
		options: options, documents: map[string]any{}, names: map[string]string{}, exact: map[string]bool{}, broken: map[string]error{},
	}
}

// document is a source that was read.
type document struct {
	text    []byte
	address string
}

// read reads the sources of a kind, by id.
func (c *compiler) read(kind string, sources map[string]any) (map[string]document, error) {
	documents := make(map[string]document, len(sources))
	for _, id := range slices.Sorted(maps.Keys(sources)) {
		own := "schema:///" + kind + "/" + url.PathEscape(id)
		text, address, err := c.add(own, fmt.Sprintf("%s %q", kind, id), sources[id])
		if err != nil && !c.options.ServeOthers {
			return nil, err
		}
		if err != nil {
			address = own
			c.broken[own] = err
		}
		documents[id] = document{text, address}
	}
	return documents, nil
}

func (c *compiler) compileAll(documents map[string]document) (map[string]*validator, error) {
	validators := make(map[string]*validator, len(documents))
	for _, id := range slices.Sorted(maps.Keys(documents)) {
		v, err := c.compile(documents[id].address)
		if err != nil && !c.options.ServeOthers {
			return nil, err
		}
		if err != nil {
			c.options.logger().Error("schema: it does not compile, so that calls of it will fail", "error", err)
			v = &validator{broken: err}
			delete(documents, id)
		}
		validators[id] = v
	}
	return validators, nil
}

// add reads a source and returns its text and its address: that which was asked for, or
// a file's own, so that references relative to it work.
func (c *compiler) add(address, name string, source any) (text []byte, own string, err error) {
	text, file, err := textOf(source)
	own = address
	if file != "" {
		own = (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(file), "/")}).String()
		name += " (" + filepath.ToSlash(string(source.(File))) + ")"
	}
	if err == nil {
		var read decoded
		how := *c.options
		_, isType := source.(reflect.Type)
		if isType {
			how.Formats, how.Format = nil, FormatAssert // Go reads dates as the standard says
		}
		read, err = decode(text, reading{exact: isType || c.options.ExactNumbers, proto: true})
		if err == nil {
			c.documents[own] = adapt(read.value, how)
		}
		c.names[own], c.exact[own] = name, isType
		c.proto = c.proto || bytes.Contains(text, []byte(protoName))
	}
	if err != nil {
		return nil, "", fmt.Errorf("schema of %s: %w", name, err)
	}
	return text, own, nil
}

// compile makes the validator of the document at an address.
func (c *compiler) compile(address string) (*validator, error) {
	if err := c.broken[address]; err != nil {
		return nil, err
	}
	v := newValidator(c.names[address], c.options, func(l *lane) error { return c.compileInto(l, address) })
	v.reading = reading{exact: c.options.ExactNumbers || c.exact[address], also: !c.exact[address], proto: c.proto}
	first, err := v.newLane()
	if err != nil {
		return nil, c.explain(address, err)
	}
	v.release(first)
	return v, nil
}

func (c *compiler) compileInto(l *lane, address string) (err error) {
	l.patterns = &c.patterns
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(nothing{})
	compiler.UseRegexpEngine(l.pattern)
	compiler.AssertFormat()
	compiler.AssertVocabs()
	compiler.RegisterVocabulary(l.vocabulary())
	for _, format := range formats() {
		compiler.RegisterFormat(format)
	}
	for address, document := range c.documents {
		if err := compiler.AddResource(address, document); err != nil {
			return err
		}
	}
	whole, err := compiler.Compile(address)
	if err != nil {
		return err
	}
	g := graph{state: map[*jsonschema.Schema]int8{}, unevaluated: map[string]*jsonschema.Schema{}}
	if circle := g.walk(whole); circle != nil {
		return &circleError{circle.Location}
	}
	l.schema, l.unevaluated = whole, g.unevaluated
	return nil
}

// circleError is a schema that leads back to itself for the same value.
type circleError struct{ location string }

func (e *circleError) Error() string {
	return "it refers to itself for the same value, so that nothing can be checked against it"
}

// nothing loads no schema that was not given.
type nothing struct{}

func (nothing) Load(string) (any, error) { return nil, errNotGiven }

var errNotGiven = errors.New("it was not given")

// explain says where in which document compiling has failed.
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

// at says where in a document something is wrong.
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

// brokenSchema returns what is wrong in a schema.
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
		// The name of a member, at a pointer that the validator does not tell right.
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

// findMember returns the pointer of a member of patternProperties, the first of that name.
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

// formatError returns why a value, a pattern above all, does not have its format.
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

// refersTo looks for the reference that leads to a target: in the document at an
// address, then in the others.
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

// leadsTo guesses: to be sure one would have to do all that the compiler did.
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
