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
// Schemas mean the same as for the JavaScript libraries that emit them, and a document is checked
// as its task will read it. Numbers are rounded to a float64 first, and a number beyond its range
// is refused: 1e-350 is 0, and 1e309 is refused. For Go tasks that read int64, json.Number or
// big.Int exactly see Options.ExactNumbers; the schemas of Go types have it. The BigInt values of
// Runner's dialects are strings on the wire, and stay exact.
//
// Ambiguous documents are refused, since callers could evade the check with them: duplicate
// members, names like __proto__ that no schema defines, halves of surrogate pairs, and values of
// Runner's serializer in forms that a validator reads differently. Names are compared after
// decoding their escapes. The schema of a Go task should forbid additional properties:
// encoding/json ignores the case of names, so that a task could read "Admin" as "admin". Task
// modules in JavaScript never get members named constructor or prototype.
//
// Values of the serializer are objects on the wire, for example a Date:
//
//	{"type": "object", "required": ["__type", "value"], "additionalProperties": false,
//	 "properties": {"__type": {"const": "Date"}, "value": {"format": "date-time"}}}
//
// A schema that allows any object, or has no required members, also allows those. A call without
// input, or with a stream instead, is checked as null. A z.file() means the object for an uploaded
// file in an input; the size and type of the file are not known before it is read.
//
// # Libraries
//
// Emit schemas for the input of a task, as the caller sends it: z.toJSONSchema(s, {io: "input"}).
// A schema for the output describes the result of transforms and defaults, which no caller sends:
// members with a default are required in it. In valibot set typeMode "input", in arktype use
// s.in.toJsonSchema(). All schemas of these libraries are tested, against ajv 8.20 and their own
// parse: zod 4.6, valibot 1.5 with to-json-schema 1.8, arktype 2.2, @sinclair/typebox 0.34,
// typebox 1.4 and effect 4.1.
//
// Regular expressions have no flags in a schema: zod and arktype drop them without notice, effect
// emits only expressions with flag u, valibot refuses any flag. They are matched with flag u, as
// in ajv. Lengths are code points, as in zod; valibot, arktype, typebox and effect count UTF-16
// units, so that one emoji is two. Typebox names no draft: lists of items without $schema are read
// as 2019-09.
//
// # Patterns
//
// A pattern must be valid for new RegExp(pattern, "u"), and matches the same. Anything else does
// not compile, such as Go's own syntax, nor do modifiers and two groups with the same name, which
// Node.js 20 does not have. Matching takes linear time, except with back references, \1 and \k.
// One match is stopped after Options.PatternTime, and all matches of a check after twice that.
//
// # Formats
//
// Beside a pattern, in the same schema or its allOf, a format has no effect. Otherwise these
// formats have the meaning of their standards: duration, email, hostname, idn-email, idn-hostname,
// ipv4, ipv6, iri, iri-reference, json-pointer, regex, relative-json-pointer, time, date,
// date-time, uri, uri-reference, uri-template, uuid. If libraries accept more, so does this
// package, unless Options are set:
//
//   - time and date-time need no seconds and no zone, and a blank may be between date and time
//     (valibot); if $schema is draft-07, the default of valibot, date and date-time have any day
//     up to 31 in any month
//   - email may also have the form of HTML (valibot)
//   - hostname may have -- anywhere, ipv6 a zone
//   - uri may be an absolute URL for the constructor of URL (zod, valibot, arktype)
//   - regex may need no flag u (arktype)
//
// Other formats have no effect.
//
// # Other drafts, and bounds
//
// Other drafts, from 4 on, are used if $schema names them. No schema is ever loaded but those
// given. A schema that refers to itself for the same value does not compile.
//
// A document may have 1,048,576 values, each of which also counts once for every container around
// it, and exact numbers of 400 digits with exponents up to 400. Schemas can make a check take
// longer than the document suggests, recursive alternatives in particular; such a check is
// stopped. There is one exception: uniqueItems compares, in the worst case, each item with all
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

// Sources are the schemas of a Set, by the ids of their tasks and events. Each is one of these:
//
//   - a File
//   - JSON text: []byte or json.RawMessage
//   - a reflect.Type: see Of
//   - any other value, for example a map or a bool: its JSON is the schema
type Sources struct {
	// Tasks are schemas of inputs, Events of payloads.
	Tasks, Events map[string]any
	// Results are schemas of the results of tasks. They are for development: see CheckReply.
	Results map[string]any
	// Shared are schemas that a $ref may name, by their absolute URLs. References in other files
	// may also name a File by its path.
	Shared map[string]any
	// Options say how the schemas are read.
	Options Options
}

// File is the path of a file with a schema in JSON.
type File string

// Set checks calls against schemas. Compile makes a Set. It never changes, and is safe for
// concurrent use.
type Set struct {
	inputs  [2]map[string]*validator
	results map[string]*validator
	schemas protocol.Schemas
}

// Compile compiles schemas. If one does not compile, the error has its id, its file if it has one,
// and the JSON pointer of the fault.
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
	// All are read before one is compiled: files may refer to each other.
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

// Check checks the input of a task or the payload of an event, for tunnel.Check. The error is 400
// INVALID_INPUT; its data has the first twenty Issues:
//
//	{"issues":[{"pointer":"/a","reason":"must be number, is string"}]}
//
// Calls whose id has no schema pass. If ctx is done while all processors are busy with other
// checks, Check returns its error.
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

// CheckReply checks the result of a task, for tunnel.CheckReply. An error is internal: it is
// logged, and never shown to the caller. Streams are not checked.
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

// Join returns the schemas of all its functions together, for tunnel.Config.Schemas: with
// tunnel.Route those of a Set and an Announced. If two have a schema for an id, the first counts.
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
