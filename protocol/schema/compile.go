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
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiler has all documents to which a schema may refer.
type compiler struct {
	options   *Options
	documents map[string]any
	names     map[string]string // of the documents, for errors
	exact     map[string]bool   // the documents of Go types
	broken    map[string]error  // errors of unreadable documents, with Options.ServeOthers
	proto     bool              // a document names __proto__
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

// add reads a source and returns its text and its address: the given address, or that of its file,
// so that references relative to the file work.
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
			how.Formats, how.Format = nil, FormatAssert // Go reads dates in the standard form
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

// circleError is the error of a schema that refers to itself for the same value.
type circleError struct{ location string }

func (e *circleError) Error() string {
	return "it refers to itself for the same value, so that nothing can be checked against it"
}

// nothing loads no further schemas.
type nothing struct{}

func (nothing) Load(string) (any, error) { return nil, errNotGiven }

var errNotGiven = errors.New("it was not given")
