// Package schema checks the inputs of tasks and the payloads of events against JSON
// Schemas (draft 2020-12) before any work is done.
//
//	set, err := schema.Compile(schema.Sources{Tasks: map[string]any{
//		"app.tasks.add": schema.File("schemas/add.json"),
//	}})
//	handler := tunnel.New(executor, tunnel.Config{Middleware: []tunnel.Middleware{tunnel.Check(set.Check)}})
//
// # What is checked
//
// Schemas mean what they mean to the JavaScript libraries that emit them, and a document is
// checked as its task will read it. Numbers are rounded to a float64 first, and one that
// is beyond its range is refused: 1e-350 is 0, and 1e309 is nothing. For Go tasks that read
// int64, json.Number or big.Int exactly see Options.ExactNumbers; the schemas of Go types
// have it. The BigInt values of Runner's dialects are strings on the wire, and stay exact.
//
// What can be read in two ways is refused, since a check that can be walked around is
// none: members that stand twice, names like __proto__ that no schema knows, halves of
// surrogate pairs, and values of Runner's serializer in forms that a validator sees in
// another way. Names are compared as they are, not as they were escaped. A schema of a Go
// task should forbid additional properties: encoding/json does not mind the case of names,
// so that "Admin" would pass for "admin". Task modules in JavaScript never get members
// named constructor or prototype.
//
// Values of the serializer are the objects that they travel as, a Date for example
//
//	{"type": "object", "required": ["__type", "value"], "additionalProperties": false,
//	 "properties": {"__type": {"const": "Date"}, "value": {"format": "date-time"}}}
//
// A schema that allows any object, or has no required members, allows those too. A call
// without input, or with a stream in its place, is checked as null. A z.file() is what stands
// for an uploaded file in an input; its size and type are not known before it is read.
//
// # Libraries
//
// Emit what the caller sends, not what the task gets: z.toJSONSchema(s, {io: "input"}).
// The output has what transforms and defaults make of it, which no caller sends: members
// with a default are required in it. With valibot it is typeMode "input", with arktype
// s.in.toJsonSchema(). All that these emit is tested, against ajv 8.20 and their own parse:
// zod 4.6, valibot 1.5 with to-json-schema 1.8, arktype 2.2, @sinclair/typebox 0.34,
// typebox 1.4 and effect 4.1.
//
// Regular expressions have no flags in a schema: zod and arktype drop them without a word,
// effect emits only those with flag u, valibot refuses any. They are matched with flag u, as
// ajv does. Lengths are code points, as in zod; valibot, arktype, typebox and effect count UTF-16
// units themselves, so that one emoji is two. Typebox says no draft: lists of items
// without $schema are read as 2019-09.
//
// # Patterns
//
// A pattern is what new RegExp(pattern, "u") takes, and matches the same; anything else
// does not compile, Go's own syntax included. Modifiers and two groups of one name, which
// are newer than Node.js 20, do not compile either. Matching takes linear time, but for back
// references, \1 and \k. One match is given up after Options.PatternTime, and all of a check
// after twice that.
//
// # Formats
//
// Beside a pattern, in the same schema or its allOf, a format asks for nothing. Otherwise
// these mean what their standards say: duration, email, hostname, idn-email,
// idn-hostname, ipv4, ipv6, iri, iri-reference, json-pointer, regex, relative-json-pointer, time,
// date, date-time, uri, uri-reference, uri-template, uuid; but unless Options say so, less is
// asked for where libraries mean less:
//
//   - time and date-time need no seconds and no zone, and a blank may be between date and
//     time (valibot); where $schema is draft-07, as valibot has it by default, date and
//     date-time have any day up to 31 in any month
//   - email is that of HTML too (valibot)
//   - hostname may have -- anywhere, ipv6 a zone
//   - uri is what may be an absolute URL of the constructor of URL (zod, valibot, arktype)
//   - regex may be one without flag u (arktype)
//
// Other formats ask for nothing.
//
// # Other drafts, and bounds
//
// Other drafts, from 4 on, are taken where $schema names them. Nothing is ever loaded but
// what was given. A schema that refers to itself for the same value does not compile.
//
// A document may have 1,048,576 values, each counted once more for every container that
// it is in, and exact numbers 400 digits and exponents up to 400. Schemas can make checking
// take longer than the document is long, recursive alternatives above all; that is cut
// off too. One thing is not: uniqueItems compares, in the worst case, each item with all
// others.
package schema

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Sources are the schemas of a Set, by the ids of their tasks and events. Each is
//
//   - a File
//   - JSON text: []byte or json.RawMessage
//   - a reflect.Type: see Of
//   - any other value, a map or a bool for example: the JSON that it is encoded as
type Sources struct {
	// Tasks are schemas of inputs, Events of payloads.
	Tasks, Events map[string]any
	// Results are schemas of what tasks return. They are for development: CheckReply.
	Results map[string]any
	// Shared are schemas that a $ref may name, by their absolute URLs. A File is found by
	// references of other files to its path too.
	Shared map[string]any
	// Options say how they are read.
	Options Options
}

// File is the path of a file that has a schema in JSON.
type File string

// Set checks calls against schemas. Make one with Compile. It never changes, and is
// safe for concurrent use.
type Set struct {
	inputs  [2]map[string]*validator
	results map[string]*validator
	schemas protocol.Schemas
}

// Compile compiles schemas. The error for one that does not compile names its id, its
// file if it has one, and the JSON pointer of what is wrong in it.
func Compile(sources Sources) (*Set, error) {
	c := newCompiler(&sources.Options)
	for _, url := range slices.Sorted(maps.Keys(sources.Shared)) {
		_, own, err := c.add(url, url, sources.Shared[url])
		switch {
		case err == nil:
			c.documents[url], c.names[url] = c.documents[own], c.names[own]
		case sources.Options.ServeOthers:
			c.options.logger().Error("schema: it cannot be read, so that what refers to it will fail", "error", err)
		default:
			return nil, err
		}
	}
	// All are read before any is compiled: files may refer to each other.
	tasks, tasksErr := c.read("task", sources.Tasks)
	events, eventsErr := c.read("event", sources.Events)
	results, resultsErr := c.read("result", sources.Results)
	if err := cmp.Or(tasksErr, eventsErr, resultsErr); err != nil {
		return nil, err
	}
	set := &Set{}
	set.inputs[protocol.KindTask], tasksErr = c.compileAll(tasks)
	set.inputs[protocol.KindEvent], eventsErr = c.compileAll(events)
	set.results, resultsErr = c.compileAll(results)
	if err := cmp.Or(tasksErr, eventsErr, resultsErr); err != nil {
		return nil, err
	}
	set.schemas = protocol.Schemas{Tasks: texts(tasks), Events: texts(events)}
	return set, nil
}

func texts(documents map[string]document) map[string]json.RawMessage {
	all := make(map[string]json.RawMessage, len(documents))
	for id, d := range documents {
		all[id] = d.text
	}
	return all
}

// textOf returns the JSON of a source, and its file if it has one.
func textOf(source any) (text []byte, file string, err error) {
	switch s := source.(type) {
	case File:
		if file, err = filepath.Abs(string(s)); err == nil {
			text, err = os.ReadFile(file)
		}
	case []byte:
		text = s
	case json.RawMessage:
		text = s
	case reflect.Type:
		text = Of(s)
	default:
		text, err = json.Marshal(s)
	}
	return text, file, err
}

// Check checks the input of a task or the payload of an event, for tunnel.Check. The
// error is 400 INVALID_INPUT; its data has the first twenty Issues:
//
//	{"issues":[{"pointer":"/a","reason":"must be number, is string"}]}
//
// Calls whose id has no schema pass. It returns ctx's error if ctx is done while all
// processors are busy with other checks.
func (s *Set) Check(ctx context.Context, call *protocol.Call) error {
	v := s.inputs[call.Kind][call.ID]
	if v == nil {
		return nil
	}
	issues, err := v.check(ctx, call.Payload)
	if err != nil || issues == nil {
		return err
	}
	return &protocol.Error{Code: protocol.CodeInvalidInput, Data: invalid{issues}}
}

type invalid struct {
	Issues []Issue `json:"issues"`
}

// CheckReply checks the result of a task, for tunnel.CheckReply. What is wrong with it
// is an internal error: logged, and never shown to the caller. Streams are not checked.
func (s *Set) CheckReply(ctx context.Context, call *protocol.Call, reply *protocol.Reply) error {
	v := s.results[call.ID]
	if v == nil || call.Kind != protocol.KindTask || reply.Stream != nil {
		return nil
	}
	issues, err := v.check(ctx, reply.Value)
	if err != nil || issues == nil {
		return err
	}
	var all []string
	for _, issue := range issues {
		all = append(all, issue.Error())
	}
	return fmt.Errorf("schema: the result of task %s is wrong: %s", call.ID, strings.Join(all, "; "))
}

// Join returns what all of them return together, for tunnel.Config.Schemas: with
// tunnel.Route a Set's and an Announced's. Of two schemas for an id it has the first.
func Join(all ...func() protocol.Schemas) func() protocol.Schemas {
	return func() protocol.Schemas {
		joined := protocol.Schemas{Tasks: map[string]json.RawMessage{}, Events: map[string]json.RawMessage{}}
		for _, schemas := range slices.Backward(all) {
			one := schemas()
			maps.Copy(joined.Tasks, one.Tasks)
			maps.Copy(joined.Events, one.Events)
		}
		return joined
	}
}

// Schemas returns the schemas of inputs and payloads, for tunnel.Config.Schemas.
func (s *Set) Schemas() protocol.Schemas { return s.schemas }
