package protocol

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

const (
	// manifestName is the name of the part with the manifest.
	manifestName = "__manifest"
	// filePrefix precedes the id in the name of a part with a file.
	filePrefix = "file:"
)

var errManifest = &Error{Code: CodeInvalidMultipart, Message: "Invalid manifest"}

// parseManifest returns the input of a form's manifest as UTF-8, nil if it has none. Unlike a
// JSON body, a manifest without the member input has no input.
func parseManifest(text []byte) (input []byte, err error) {
	if len(text) == 0 {
		return nil, &Error{Code: CodeMissingManifest}
	}
	if !utf8.Valid(text) {
		text = replaceInvalidUTF8(text)
	}
	err = rawjson.Members(text, MaxDepth, func(name, value []byte) {
		if string(name) == "input" {
			input = value
		}
	})
	if err != nil {
		return nil, &Error{Code: errManifest.Code, Message: errManifest.Message, Err: err}
	}
	root := bytes.TrimSpace(text)
	if root[0] != '{' && root[0] != '[' || IsUndefined(root) {
		return nil, &Error{Code: CodeMissingManifest}
	}
	if IsUndefined(input) {
		return nil, nil
	}
	return input, nil
}

// fileIDs returns the ids of the files that a valid JSON value names, each once, in the order
// of their first appearance. An object names a file if its member "$runnerFile", or "$ejson"
// for clients of Runner 4, is "File", and its id is a string.
func fileIDs(value []byte) []string {
	if !bytes.Contains(value, []byte("File")) && !bytes.Contains(value, []byte(`\u`)) {
		return nil
	}
	finder := idFinder{dec: json.NewDecoder(bytes.NewReader(value))}
	finder.dec.UseNumber() // a number too large for a float64 is no error
	finder.value()
	_, ids := distinct(finder.ids)
	return ids
}

// idFinder reads a value token by token, since the order of members matters.
type idFinder struct {
	dec *json.Decoder
	ids []string
}

// value reads one value and returns it if it is a string. Checked JSON has no errors, and an
// error would end the loops.
func (f *idFinder) value() (text string, ok bool) {
	token, _ := f.dec.Token()
	switch token {
	case json.Delim('{'):
		f.object()
	case json.Delim('['):
		for f.dec.More() {
			f.value()
		}
		_, _ = f.dec.Token()
	default:
		text, ok = token.(string)
	}
	return text, ok
}

// object reads the members of an object. If it names a file, ids below it do not count.
func (f *idFinder) object() {
	var id string
	var isFile, hasID bool
	before := len(f.ids)
	for f.dec.More() {
		name, _ := f.dec.Token()
		text, isText := f.value()
		switch name {
		case "$runnerFile", "$ejson":
			isFile = text == "File"
		case "id":
			id, hasID = text, isText
		}
	}
	_, _ = f.dec.Token()
	if isFile && hasID {
		f.ids = append(f.ids[:before], id)
	}
}
