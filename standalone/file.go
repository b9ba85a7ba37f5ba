package standalone

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
)

// File is a file in the input of a task: a field of that type, or a pointer to it,
// takes what a client puts there for a file of its. Anything else does not fit.
//
// A File must be there, in a call that is a form, before the task runs: a caller without
// it is answered with 400 INVALID_INPUT, one without a form with 415
// UNSUPPORTED_MEDIA_TYPE. A pointer, or a field with omitempty or omitzero, is optional:
// it is nil, or its zero value, if the caller has sent none.
//
// What is known about the file comes from its caller, and is not compared with what
// arrives.
type File struct {
	// ID is what the form calls the file.
	ID string
	// Name and Type are the file name and the content type that the caller gives in the
	// input, otherwise those of the file's own part in the form, without a path or
	// parameters, otherwise "upload" and "text/plain". They are whole after Open.
	Name, Type string
	// Size in bytes and LastModified in milliseconds since 1970, both 0 unless the caller
	// says.
	Size, LastModified int64
	// Extra is whatever the caller adds, as JSON; nil for nothing.
	Extra json.RawMessage

	given            bool // by the caller
	hasName, hasType bool
}

var (
	errNoFile = errors.New("not a file")
	errNoTask = errors.New("standalone: open a file: the context is none of a task")
)

// UnmarshalJSON takes what stands for a file in an input: an object whose member
// "$runnerFile", or "$ejson" for clients of Runner 4, is "File", with an id. Null
// stands for no file.
func (f *File) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var sentinel struct {
		Runner any             `json:"$runnerFile"`
		EJSON  any             `json:"$ejson"`
		ID     any             `json:"id"`
		Meta   json.RawMessage `json:"meta"`
	}
	if err := json.Unmarshal(data, &sentinel); err != nil {
		return errNoFile
	}
	id, ok := sentinel.ID.(string)
	if !ok || sentinel.Runner != "File" && sentinel.EJSON != "File" {
		return errNoFile
	}
	*f = File{ID: id, given: true}
	var meta map[string]json.RawMessage
	if json.Unmarshal(sentinel.Meta, &meta) != nil {
		return nil // any value will do
	}
	f.Name, f.hasName = text(meta["name"])
	f.Type, f.hasType = text(meta["type"])
	f.Size, f.LastModified = number(meta["size"]), number(meta["lastModified"])
	f.Extra = meta["extra"]
	return nil
}

// text returns a string, and whether there is a value at all: null is one.
func text(value json.RawMessage) (text string, ok bool) {
	_ = json.Unmarshal(value, &text)
	return text, value != nil && !isUndefined(value)
}

// number returns a number, 0 for what is none.
func number(value json.RawMessage) int64 {
	var n float64
	if json.Unmarshal(value, &n) != nil || n != n || n < -1<<53 || n > 1<<53 {
		return 0
	}
	return int64(n)
}

// isUndefined reports whether a value is JavaScript's undefined.
func isUndefined(value json.RawMessage) bool {
	var typed struct {
		Type any `json:"__type"`
	}
	return json.Unmarshal(value, &typed) == nil && typed.Type == "Undefined"
}

// JSONSchema returns the schema of what stands for a file, for protocol/schema.
func (File) JSONSchema() json.RawMessage {
	return json.RawMessage(`{"type":"object","required":["id"],"properties":{"id":{"type":"string"}},"anyOf":[` +
		`{"required":["$runnerFile"],"properties":{"$runnerFile":{"const":"File"}}},` +
		`{"required":["$ejson"],"properties":{"$ejson":{"const":"File"}}}]}`)
}

// Open waits for the file to arrive and returns it; ctx is that of the task. A file
// can be opened once, whatever the order, and read while the task runs, or while a
// stream that it returned is sent. Close drops the rest, and is optional.
//
// Its errors are those of the caller, for a task to return: 400 INVALID_INPUT for a file
// that is not there, 415 UNSUPPORTED_MEDIA_TYPE if the call did not come as a form, and the
// form's own if that is broken or lacks the file.
func (f *File) Open(ctx context.Context) (io.ReadCloser, error) {
	call := CallFrom(ctx)
	switch {
	case call == nil:
		return nil, errNoTask
	case f == nil || f.ID == "" && !f.given:
		return nil, missingFile("")
	case call.Form == nil:
		return nil, noForm(call)
	}
	part, err := call.Form.Open(f.ID)
	if err != nil {
		return nil, err
	}
	if !f.hasName {
		f.Name = cmp.Or(part.Name, "upload")
	}
	if !f.hasType {
		f.Type = cmp.Or(part.Type, "text/plain")
	}
	return part, nil
}
