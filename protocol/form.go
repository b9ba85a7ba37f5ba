package protocol

import (
	"errors"
	"io"
)

// Form is a multipart/form-data request while it arrives: a manifest, whose input may
// name files, and the files. It reads the request only as far as somebody waits for
// it, and starts no goroutine. Its methods may be called concurrently.
type Form struct {
	body io.ReadCloser
}

// NewForm returns the form that body holds.
func NewForm(body io.ReadCloser, contentType string, limits Limits) *Form {
	return &Form{body: body}
}

// Manifest reads up to the manifest and returns its input.
func (f *Form) Manifest() (payload []byte, err error) { return nil, errors.New("not yet") }

// IDs returns the ids of the files that the input names, each once.
func (f *Form) IDs() []string { return nil }

// Open waits for the file with an id. A file can be opened once.
func (f *Form) Open(id string) (*Part, error) { return nil, errors.New("not yet") }

// Finish reads the rest of the form. What nobody has opened is dropped, unless keep is
// set. It returns what is wrong with the form.
func (f *Form) Finish(keep bool) error { return nil }

// Close frees what the form holds; reading from it fails afterwards.
func (f *Form) Close() error { return nil }

// Part is an opened file.
type Part struct {
	// Name and Type are what the part's header says, empty if nothing: the file name
	// without a path, and the content type.
	Name, Type string
}

// Read reads the file's bytes.
func (p *Part) Read(b []byte) (int, error) { return 0, io.EOF }

// Close drops the rest of the file.
func (p *Part) Close() error { return nil }
