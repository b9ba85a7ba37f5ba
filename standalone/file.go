package standalone

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
)

// File is a file in the input of a task: a field of type File or *File accepts the object by which
// a client refers to a file. It accepts nothing else.
//
// A File is required: if it is missing, the caller gets 400 INVALID_INPUT, or 415
// UNSUPPORTED_MEDIA_TYPE if the call is no form, and the task does not run. A *File, or a field
// with omitempty or omitzero, is optional: it is nil, or its zero value, if the caller has sent
// none.
//
// The caller describes the file; nothing compares this with the file that arrives.
type File struct {
	// ID is the name of the file in the form.
	ID string
	// Name and Type are the file name and the content type in the input, otherwise those of the
	// file's part in the form, without a path or parameters, otherwise "upload" and "text/plain".
	// They are final after Open.
	Name, Type string
	// Size is in bytes and LastModified in milliseconds since 1970. Both are 0 if the caller does
	// not send them.
	Size, LastModified int64
	// Extra is further information from the caller, as JSON; nil if there is none.
	Extra json.RawMessage

	given            bool // by the caller
	hasName, hasType bool
}

var (
	errNoFile = errors.New("not a file")
	errNoTask = errors.New("standalone: open a file: the context is not that of a task")
)

// UnmarshalJSON decodes the object for a file in an input: its member "$runnerFile", or "$ejson"
// for clients of Runner 4, is "File", and it has an id. Null means no file.
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
		return nil // any value is accepted
	}
	f.Name, f.hasName = text(meta["name"])
	f.Type, f.hasType = text(meta["type"])
	f.Size, f.LastModified = number(meta["size"]), number(meta["lastModified"])
	f.Extra = meta["extra"]
	return nil
}

// text returns a string, and whether there is a value: null counts as one.
func text(value json.RawMessage) (text string, ok bool) {
	_ = json.Unmarshal(value, &text)
	return text, value != nil && !isUndefined(value)
}

// number returns a number, 0 for any other value.
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

// JSONSchema returns the schema of the object for a file in an input, for protocol/schema.
func (File) JSONSchema() json.RawMessage {
	return json.RawMessage(`{"type":"object","required":["id"],"properties":{"id":{"type":"string"}},"anyOf":[` +
		`{"required":["$runnerFile"],"properties":{"$runnerFile":{"const":"File"}}},` +
		`{"required":["$ejson"],"properties":{"$ejson":{"const":"File"}}}]}`)
}

// Open waits until the file arrives, and returns it. Ctx is the context of the task. A file can be
// opened once, in any order. It may be read while the task runs, or while a stream that the task
// has returned is sent. Close is optional and drops the rest.
//
// A task may return its errors to the caller: 400 INVALID_INPUT for a file that was not sent, 415
// UNSUPPORTED_MEDIA_TYPE if the call is no form, and the form's own error if the form is malformed
// or lacks the file.
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
