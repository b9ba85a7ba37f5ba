package protocol

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// Form is a multipart/form-data request while it arrives: a manifest, whose input may name files,
// and the files. It reads the request only as far as a method needs it, and starts no goroutine.
// Its methods, and the methods of its files, may be called concurrently. While one of them waits
// for the caller, the others wait for it, except for Close, which ends all of them.
//
// Files may stand in any order, also before the manifest, and may be read in any other
// order or not at all. A method that waits for a file reads everything before it: files
// that may still be opened are spooled, up to 64 KiB of each in memory and the rest in
// temporary files, and all others are discarded.
//
// If several parts have the same id, the first is the file and the others are discarded.
// (The clients of Runner 5 send such forms if two files have their default id.)
type Form struct {
	body   io.ReadCloser
	limits Limits
	closed atomic.Bool

	mu          sync.Mutex
	in          *formReader
	files       map[string]*arrivingFile
	current     *arrivingFile // the file whose bytes come next, nil between parts
	ids         []string
	input       []byte
	hasManifest bool // the ids of the files are known
	ended       bool
	err         error // the form's first error, which stays
}

// arrivingFile is a file that the input names or, before the manifest has arrived, a file
// that it may name.
type arrivingFile struct {
	part      *formPart // nil before it arrives
	spool     spool
	size      int64
	complete  bool // all of it has arrived
	opened    bool
	discarded bool // it will not be read any more
}

var (
	errFormClosed = errors.New("protocol: the form is closed")
	errPartClosed = errors.New("protocol: the file is closed")
)

// NewForm returns the form that body contains. The content type is the request's. The limits of
// files and fields count. An *Error of body is also the form's error, unless its code is
// CodeStream. The form must be closed, which closes body and should interrupt its Read.
func NewForm(body io.ReadCloser, contentType string, limits Limits) *Form {
	f := &Form{body: body, limits: limits.WithDefaults(), files: make(map[string]*arrivingFile)}
	var err error
	if f.in, err = newFormReader(body, contentType, f.limits); err != nil {
		f.err = &Error{Code: CodeInvalidMultipart, Err: err}
	}
	return f
}

// Manifest reads up to the manifest and returns its input: JSON that was checked like the
// Payload of a [Call], nil if there is none.
//
// Every error of a form is an *Error, unless the form was used wrongly: 400 for a malformed form
// or manifest, 413 for a form over a limit, 500 for a missing or incomplete file, and 408 or 499
// for a caller who is too slow or has disconnected.
func (f *Form) Manifest() (input []byte, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.err == nil && !f.hasManifest {
		f.advance()
	}
	if !f.hasManifest {
		return nil, f.err
	}
	return f.input, nil
}

// FileIDs returns the ids of the files that the input names, each once, in order of
// appearance. It returns none before Manifest has returned.
func (f *Form) FileIDs() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ids
}

// Open waits for the file with an id. A file can be opened once.
func (f *Form) Open(id string) (*FormFile, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	file := f.files[id]
	switch {
	case f.closed.Load():
		return nil, errFormClosed
	case file == nil || !f.hasManifest:
		return nil, fmt.Errorf("protocol: the input names no file %q", id)
	case file.opened:
		return nil, fmt.Errorf("protocol: the file %q is opened a second time", id)
	case file.discarded:
		return nil, fmt.Errorf("protocol: the file %q is opened after the form's end", id)
	}
	for f.err == nil && file.part == nil {
		f.advance()
	}
	if file.part == nil {
		return nil, f.err
	}
	file.opened = true
	return &FormFile{Name: file.part.filename, Type: file.part.contentType, form: f, file: file}, nil
}

// Finish reads the rest of the form and returns its error, for example a missing file that the
// input names. Files that were not opened are discarded unless keep is set. Open files are spooled
// for their readers. It returns nil for a form that was closed.
func (f *Form) Finish(keep bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !keep {
		for _, file := range f.files {
			if !file.opened {
				file.discard()
			}
		}
	}
	if err := f.readRest(); err != errFormClosed {
		return err
	}
	return nil
}

// Err returns the error of the form as far as it was read, nil if there is none. It has more
// details than a task's error about it.
func (f *Form) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil && f.in != nil && f.in.bounded.err != nil { // no later Read has returned it yet
		f.fail(f.in.bounded.err, CodeInvalidMultipart)
	}
	if f.err == errFormClosed {
		return nil
	}
	return f.err
}

// Close releases memory and files of the form and closes its body. Reading from the form
// fails afterwards.
func (f *Form) Close() error {
	f.closed.Store(true)
	err := f.body.Close() // before the lock, which a Read holds while it waits for the caller
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail(errFormClosed, "")
	for _, file := range f.files {
		file.discard()
	}
	return err
}

// readRest reads to the end of the form.
func (f *Form) readRest() error {
	for f.err == nil && !f.ended {
		f.advance()
	}
	return f.err
}

// advance reads the rest of the current file. If there is none, it reads the next part if that is
// a field, and otherwise the header of a file.
func (f *Form) advance() {
	if f.current != nil {
		f.spoolRest(f.current)
		return
	}
	part, err := f.in.next()
	if err == io.EOF {
		f.finishParts()
		return
	}
	if err != nil {
		f.fail(err, CodeInvalidMultipart)
		return
	}
	if !part.isFile {
		f.field(part)
		return
	}
	id, named := strings.CutPrefix(part.name, filePrefix)
	if !named { // it is ignored, whatever its size
		if _, err := io.Copy(io.Discard, part); err != nil {
			f.fail(err, CodeInvalidMultipart)
		}
		return
	}
	file := f.files[id]
	switch {
	case file == nil && !f.hasManifest: // the manifest may still name it
		file = &arrivingFile{}
		f.files[id] = file
	case file == nil || file.part != nil:
		file = &arrivingFile{discarded: true}
	}
	file.part = part
	f.current = file
}

// spoolRest reads the rest of the current file, and spools it if it may still be read.
func (f *Form) spoolRest(file *arrivingFile) {
	buf := make([]byte, formBuffer)
	for f.current == file && f.err == nil {
		n, _ := f.readCurrent(buf)
		if file.discarded {
			continue
		}
		if _, err := file.spool.Write(buf[:n]); err != nil {
			f.err = fmt.Errorf("protocol: spool a file: %w", err)
		}
	}
}

// readCurrent reads from the current file. At its end there is no current file any more.
func (f *Form) readCurrent(b []byte) (n int, err error) {
	file := f.current
	for n < len(b) && err == nil && (n == 0 || f.in.body.Buffered() > 0) { // mime/multipart returns little at once
		var more int
		more, err = file.part.Read(b[n:])
		n += more
	}
	if file.size += int64(n); file.size > f.limits.MaxFileSize {
		return 0, f.fail(formTooLarge("File size"), "")
	}
	if err == io.EOF {
		file.complete = true
		f.current = nil
		return n, io.EOF
	}
	if err != nil {
		return n, f.fail(err, CodeStream)
	}
	return n, nil
}

// field reads a field. Only the manifest is used.
func (f *Form) field(part *formPart) {
	if strings.HasPrefix(part.name, filePrefix) {
		f.in.skip(part.Part, errNoFileName)
	}
	text, err := io.ReadAll(io.LimitReader(part, min(f.limits.MaxFieldSize, math.MaxInt64-1)+1))
	switch {
	case err != nil:
		f.fail(err, CodeInvalidMultipart)
	case int64(len(text)) > f.limits.MaxFieldSize:
		f.fail(formTooLarge("Field"), "")
	case part.name != manifestName:
	case f.hasManifest:
		f.fail(errManifest, "")
	case isLatin1(part.charset) && !utf8.Valid(text):
		f.manifest([]byte(decodeLatin1(string(text))))
	default:
		f.manifest(text)
	}
}

func (f *Form) manifest(text []byte) {
	input, err := parseManifest(text)
	if err != nil {
		f.fail(err, "")
		return
	}
	ids := fileIDs(input)
	if len(ids) > f.limits.MaxFiles {
		f.fail(formTooLarge("Files"), "")
		return
	}
	arrived := f.files
	f.files = make(map[string]*arrivingFile, len(ids))
	for _, id := range ids {
		file := arrived[id]
		if file == nil {
			file = &arrivingFile{}
		}
		f.files[id] = file
		delete(arrived, id)
	}
	for _, file := range arrived {
		file.discard()
	}
	f.input, f.ids, f.hasManifest = input, ids, true
}

// finishParts checks the form after its last part.
func (f *Form) finishParts() {
	f.ended = true
	if err := f.in.readEpilogue(); err != nil {
		f.fail(err, CodeInvalidMultipart)
		return
	}
	if !f.hasManifest {
		f.fail(&Error{Code: CodeMissingManifest, Err: f.in.missing(manifestName)}, "")
		return
	}
	for _, id := range f.ids {
		if f.files[id].part == nil {
			// This is the caller's error, but the protocol requires 500, as in Runner 5.5.0.
			f.fail(&Error{Code: CodeMissingFilePart, Err: f.in.missing("for file " + quoteShort(id))}, "")
			return
		}
	}
}

// fail makes err the form's error, unless it has one, and returns the form's error. An error that
// does not come from the connection gets the code.
func (f *Form) fail(err error, code Code) error {
	if f.err != nil {
		return f.err
	}
	var public *Error
	switch {
	case errors.As(err, &public) && (code == "" || public.Code != CodeStream):
		f.err = public // even if the form was closed because of it
	case f.closed.Load():
		f.err = errFormClosed
	case code == "":
		f.err = err
	default:
		f.err = &Error{Code: code, Err: err}
	}
	return f.err
}

func (file *arrivingFile) discard() {
	file.discarded = true
	file.spool.Close()
}

// FormFile is an open file of a form.
type FormFile struct {
	// Name is the file name in the part's header, without a path. Type is the content type
	// there, in lower case without parameters. Both may be empty.
	Name, Type string

	form *Form
	file *arrivingFile
}

// Read reads the file's bytes. An error other than io.EOF means that the file is incomplete.
// The errors of the form are described at [Form.Manifest].
func (p *FormFile) Read(b []byte) (int, error) {
	f := p.form
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed.Load():
		return 0, errFormClosed
	case p.file.discarded:
		return 0, errPartClosed
	case len(b) == 0:
		return 0, nil
	}
	if n, err := p.file.spool.Read(b); err != io.EOF {
		return n, err
	}
	if p.file.complete {
		return 0, io.EOF
	}
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.readCurrent(b)
	if err == io.EOF && f.arrived() {
		// A connection reports a disconnected caller only after the end of the request.
		_ = f.readRest() // Finish returns the error
	}
	return n, err
}

// arrived reports whether all files have arrived.
func (f *Form) arrived() bool {
	for _, file := range f.files {
		if !file.complete {
			return false
		}
	}
	return true
}

// Close discards the rest of the file.
func (p *FormFile) Close() error {
	p.form.mu.Lock()
	defer p.form.mu.Unlock()
	p.file.discard()
	return nil
}
