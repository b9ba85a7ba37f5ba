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

// Form is a multipart/form-data request while it arrives: a manifest, whose input may
// name files, and the files. It reads the request only as far as somebody waits for
// it, and starts no goroutine. Its methods, and those of its parts, may be called
// concurrently; while one waits for the caller the others wait for it, except for
// Close, which ends all of them.
//
// Files may stand in any order, before the manifest too, and be read in any other or
// not at all. Whoever waits for one moves along what comes before it: files that
// somebody may still want are put aside, up to 64 KiB of each in memory and the rest
// in temporary files, and all others are dropped.
//
// Of several parts for the same id the first is the file and the others are dropped.
// (The clients of Runner 5 send such forms if two files have their default id; their
// own server never answers those.)
type Form struct {
	body   io.ReadCloser
	limits Limits
	closed atomic.Bool

	mu      sync.Mutex
	in      *formReader
	files   map[string]*arrivingFile
	current *arrivingFile // the file whose bytes come next, nil between parts
	ids     []string
	input   []byte
	ready   bool // the manifest was read
	ended   bool
	err     error // what is wrong with the form, for good
}

// arrivingFile is a file of a form: one that the input names or, before the manifest is
// there, one that it may name.
type arrivingFile struct {
	part    *formPart // nil before it arrives
	spool   spool
	size    int64
	whole   bool // all of it has arrived
	opened  bool
	dropped bool // nobody will read it, or read on
}

var (
	errFormClosed = errors.New("protocol: the form is closed")
	errPartClosed = errors.New("protocol: the file is closed")
)

// NewForm returns the form that body holds. The content type is that of the request, the
// limits those of files and fields. An *Error of body is the form's, unless its code is
// CodeStream. The form must be closed, which closes body; what waits in a Read of that
// should return then.
func NewForm(body io.ReadCloser, contentType string, limits Limits) *Form {
	f := &Form{body: body, limits: limits.WithDefaults(), files: make(map[string]*arrivingFile)}
	var err error
	if f.in, err = newFormReader(body, contentType, f.limits); err != nil {
		f.err = &Error{Code: CodeInvalidMultipart, Err: err}
	}
	return f
}

// Manifest reads up to the manifest and returns its input: JSON that was checked as the
// Payload of a [Call] is, nil for none.
//
// Its errors, and all others of a form that are not about a wrong use of it, are each an
// *Error: 400 for a form or manifest that is none, 413 for one over a limit, 500 for a
// file that is missing or cut short, and 408 or 499 for a caller that is slow or gone.
func (f *Form) Manifest() (input []byte, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.err == nil && !f.ready {
		f.advance()
	}
	if !f.ready {
		return nil, f.err
	}
	return f.input, nil
}

// FileIDs returns the ids of the files that the input names, each once, in order of
// appearance. There are none before Manifest has returned.
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
	case file == nil || !f.ready:
		return nil, fmt.Errorf("protocol: the input names no file %q", id)
	case file.opened:
		return nil, fmt.Errorf("protocol: the file %q is opened a second time", id)
	case file.dropped:
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

// Finish reads the rest of the form and returns what is wrong with it, a file that the
// input names and that is not there included. A file that nobody has opened is
// dropped, unless keep is set; one that is open is put aside for its reader. With a form
// that was closed nothing is wrong.
func (f *Form) Finish(keep bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !keep {
		for _, file := range f.files {
			if !file.opened {
				file.drop()
			}
		}
	}
	if err := f.rest(); err != errFormClosed {
		return err
	}
	return nil
}

// Err returns what is wrong with the form as far as it was read, nil if nothing is: it
// says more than what a task makes of it.
func (f *Form) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil && f.in != nil && f.in.gate.err != nil { // known, but for those who read on
		f.fail(f.in.gate.err, CodeInvalidMultipart)
	}
	if f.err == errFormClosed {
		return nil
	}
	return f.err
}

// Close frees what the form holds and closes its body; reading from it fails
// afterwards.
func (f *Form) Close() error {
	f.closed.Store(true)
	err := f.body.Close() // before the lock: a Read that waits for the caller has it
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail(errFormClosed, "")
	for _, file := range f.files {
		file.drop()
	}
	return err
}

// rest reads to the end of the form.
func (f *Form) rest() error {
	for f.err == nil && !f.ended {
		f.advance()
	}
	return f.err
}

// advance moves on by what is left of the current file, or by a part that is no file
// or up to one that is.
func (f *Form) advance() {
	if f.current != nil {
		f.putAside(f.current)
		return
	}
	part, err := f.in.next()
	if err == io.EOF {
		f.end()
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
	if !named { // of no use, whatever its size
		if _, err := io.Copy(io.Discard, part); err != nil {
			f.fail(err, CodeInvalidMultipart)
		}
		return
	}
	file := f.files[id]
	switch {
	case file == nil && !f.ready: // the manifest may still name it
		file = &arrivingFile{}
		f.files[id] = file
	case file == nil || file.part != nil:
		file = &arrivingFile{dropped: true}
	}
	file.part = part
	f.current = file
}

// putAside reads what is left of the current file, for later if somebody may want it.
func (f *Form) putAside(file *arrivingFile) {
	buf := make([]byte, formBuffer)
	for f.current == file && f.err == nil {
		n, _ := f.readCurrent(buf)
		if file.dropped {
			continue
		}
		if _, err := file.spool.Write(buf[:n]); err != nil {
			f.err = fmt.Errorf("protocol: put a file aside: %w", err)
		}
	}
}

// readCurrent reads from the current file, which is no more the current one at its end.
func (f *Form) readCurrent(b []byte) (n int, err error) {
	file := f.current
	for n < len(b) && err == nil && (n == 0 || f.in.body.Buffered() > 0) { // mime/multipart hands out little at once
		var more int
		more, err = file.part.Read(b[n:])
		n += more
	}
	if file.size += int64(n); file.size > f.limits.MaxFileSize {
		return 0, f.fail(formTooLarge("File size"), "")
	}
	if err == io.EOF {
		file.whole = true
		f.current = nil
		return n, io.EOF
	}
	if err != nil {
		return n, f.fail(err, CodeStream)
	}
	return n, nil
}

// field reads a field, of which only the manifest is of use.
func (f *Form) field(part *formPart) {
	if strings.HasPrefix(part.name, filePrefix) {
		f.in.passOver(part.Part, errNoFileName)
	}
	text, err := io.ReadAll(io.LimitReader(part, min(f.limits.MaxFieldSize, math.MaxInt64-1)+1))
	switch {
	case err != nil:
		f.fail(err, CodeInvalidMultipart)
	case int64(len(text)) > f.limits.MaxFieldSize:
		f.fail(formTooLarge("Field"), "")
	case part.name != manifestName:
	case f.ready:
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
		file.drop()
	}
	f.input, f.ids, f.ready = input, ids, true
}

// end is reached behind the last part.
func (f *Form) end() {
	f.ended = true
	if err := f.in.end(); err != nil {
		f.fail(err, CodeInvalidMultipart)
		return
	}
	if !f.ready {
		f.fail(&Error{Code: CodeMissingManifest, Err: f.in.missing(manifestName)}, "")
		return
	}
	for _, id := range f.ids {
		if f.files[id].part == nil {
			// The caller's error, but the protocol's own text wants 500, as 5.5.0 answers.
			f.fail(&Error{Code: CodeMissingFilePart, Err: f.in.missing("for file " + quoteShort(id))}, "")
			return
		}
	}
}

// fail makes err the form's error, if it has none yet, and returns that. What is no
// error of the caller's connection gets the code.
func (f *Form) fail(err error, code Code) error {
	if f.err != nil {
		return f.err
	}
	var public *Error
	switch {
	case errors.As(err, &public) && (code == "" || public.Code != CodeStream):
		f.err = public // also if the form was closed for it
	case f.closed.Load():
		f.err = errFormClosed
	case code == "":
		f.err = err
	default:
		f.err = &Error{Code: code, Err: err}
	}
	return f.err
}

func (file *arrivingFile) drop() {
	file.dropped = true
	file.spool.Close()
}

// FormFile is a file of a form that was opened.
type FormFile struct {
	// Name and Type are what the part's header says, empty if nothing: the file name
	// without a path, and the content type in lower case without parameters.
	Name, Type string

	form *Form
	file *arrivingFile
}

// Read reads the file's bytes. An error other than io.EOF means that it is not whole;
// that of a broken form is the one of [Form.Manifest].
func (p *FormFile) Read(b []byte) (int, error) {
	f := p.form
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed.Load():
		return 0, errFormClosed
	case p.file.dropped:
		return 0, errPartClosed
	case len(b) == 0:
		return 0, nil
	}
	if n, err := p.file.spool.Read(b); err != io.EOF {
		return n, err
	}
	if p.file.whole {
		return 0, io.EOF
	}
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.readCurrent(b)
	if err == io.EOF && f.arrived() {
		// Only at the end of its request a connection tells that the caller has left.
		_ = f.rest() // for Finish to return
	}
	return n, err
}

// arrived reports whether all files have arrived.
func (f *Form) arrived() bool {
	for _, file := range f.files {
		if !file.whole {
			return false
		}
	}
	return true
}

// Close drops the rest of the file.
func (p *FormFile) Close() error {
	p.form.mu.Lock()
	defer p.form.mu.Unlock()
	p.file.drop()
	return nil
}
