package client

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"strings"
	"sync"
)

// upload is a body that can be sent once, since it comes from the caller's readers. The goroutine
// that sends it reads it, and both that and the call close it.
type upload struct {
	source  io.Reader
	closers []io.Closer

	mu     sync.Mutex
	closed bool
	err    error // of the source
}

var errUploadClosed = errors.New("client: the call is over")

func newUpload(source io.Reader, readers ...io.Reader) *upload {
	u := &upload{source: source}
	for _, r := range readers {
		if c, ok := r.(io.Closer); ok {
			u.closers = append(u.closers, c)
		}
	}
	return u
}

// Read reads the source, until Close. It does not hold the lock meanwhile: Close ends a Read that
// waits.
func (u *upload) Read(b []byte) (int, error) {
	u.mu.Lock()
	closed := u.closed
	u.mu.Unlock()
	if closed {
		return 0, errUploadClosed
	}
	n, err := u.source.Read(b)
	if err != nil && err != io.EOF {
		u.mu.Lock()
		defer u.mu.Unlock()
		if !u.closed {
			u.err = err
		}
	}
	return n, err
}

// Close closes the readers, once.
func (u *upload) Close() error {
	u.mu.Lock()
	closed := u.closed
	u.closed = true
	u.mu.Unlock()
	if closed {
		return nil
	}
	var errs []error
	for _, c := range u.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// failure returns the error of the source, nil if it has not failed.
func (u *upload) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

// newForm returns a form of the manifest and the files. It reads no byte of a file before that is
// sent.
func newForm(manifest []byte, files files) (form *upload, contentType string) {
	var text bytes.Buffer // the text before and between the files
	w := multipart.NewWriter(&text)
	var sources, readers []io.Reader
	part := func(header textproto.MIMEHeader) {
		_, _ = w.CreatePart(header) // a Buffer never fails
	}
	part(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="__manifest"`}})
	text.Write(manifest)
	for _, f := range files {
		part(f.header())
		sources = append(sources, strings.NewReader(text.String()), f.Reader)
		readers = append(readers, f.Reader)
		text.Reset()
	}
	_ = w.Close()
	sources = append(sources, &text)
	return newUpload(io.MultiReader(sources...), readers...), w.FormDataContentType()
}

// header returns the header of the file's part. The name in the manifest has precedence; the name
// here makes the part a file.
func (f *File) header() textproto.MIMEHeader {
	name := f.Name
	if name == "" {
		name = "upload"
	}
	disposition := mime.FormatMediaType("form-data", map[string]string{"name": "file:" + f.id, "filename": name})
	contentType := strings.Map(func(r rune) rune {
		if r < ' ' { // a line break would end the header
			return ' '
		}
		return r
	}, f.contentType())
	return textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {contentType}}
}
