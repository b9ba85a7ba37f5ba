package protocol

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strconv"
	"strings"
)

const (
	// formBuffer is the number of bytes of a form that are read at once.
	formBuffer = 32 << 10
	// maxPartHeader bounds the header of a part together with the delimiter before it, and
	// also the preamble and the epilogue of the form.
	maxPartHeader = 64 << 10
)

var errFormLayout = errors.New("malformed form")

// formReader reads the parts of a form one after the other and counts them.
type formReader struct {
	body     *bufio.Reader
	boundary string
	limits   Limits
	bounded  boundedReader
	parts    *multipart.Reader // nil before the first part

	files, fields, others int
	skipped               int
	reasons               []string // the reasons for the first few skipped parts
}

// formPart is a part of a form: a file or a field.
type formPart struct {
	*multipart.Part
	name                  string
	isFile                bool
	filename, contentType string
	charset               string // of a field
}

func newFormReader(body io.Reader, contentType string, limits Limits) (*formReader, error) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, err
	}
	if mediaType != "multipart/form-data" || params["boundary"] == "" {
		return nil, errFormLayout
	}
	return &formReader{body: bufio.NewReaderSize(body, formBuffer), boundary: params["boundary"], limits: limits}, nil
}

// next returns the next part. The part before it must have been read to its end. The error
// is io.EOF at the end of the form, and only there.
func (r *formReader) next() (*formPart, error) {
	if r.parts == nil {
		if err := r.begin(); err != nil {
			return nil, err
		}
	}
	for {
		r.bounded.left = maxPartHeader
		raw, err := r.parts.NextRawPart()
		r.bounded.left = unlimited
		if err != nil {
			return nil, cmp.Or(r.bounded.err, err)
		}
		part, err := parsePart(raw)
		if err != nil {
			r.skip(raw, err)
		}
		if err := r.count(part); err != nil {
			return nil, err
		}
		if part != nil {
			return part, nil
		}
		if _, err := io.Copy(io.Discard, raw); err != nil {
			return nil, err
		}
	}
}

// begin looks for the line that begins the form. If that line ended with LF alone,
// mime/multipart would read the whole form.
func (r *formReader) begin() error {
	delimiter := []byte("--" + r.boundary)
	for left := maxPartHeader; left > 0; {
		line, err := r.body.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return err
		}
		if rest, ok := bytes.CutPrefix(line, delimiter); ok {
			if string(bytes.TrimLeft(rest, " \t")) == "\n" {
				return errFormLayout
			}
			if len(rest) == 0 || strings.IndexByte(" \t\r-", rest[0]) >= 0 {
				// The last delimiter needs no line end. The line end added here distinguishes it from a cut form.
				r.bounded = boundedReader{src: io.MultiReader(bytes.NewReader(bytes.Clone(line)), r.body, strings.NewReader("\r\n"))}
				r.parts = multipart.NewReader(&r.bounded, r.boundary)
				return nil
			}
		}
		if err != nil {
			return errFormLayout
		}
		left -= len(line)
	}
	return errFormLayout
}

// parsePart reads the header of a part as Runner's server does. The error means that the
// part must be skipped.
//
// The manifest is a field, even if it comes with a file name: a Blob in a browser's FormData
// has one.
func parsePart(raw *multipart.Part) (*formPart, error) {
	d, err := parseDisposition(raw.Header.Get("Content-Disposition"))
	if err != nil {
		return nil, err
	}
	p := &formPart{Part: raw, name: d.name}
	// The type counts even if a parameter after it is malformed.
	mediaType, params, err := mime.ParseMediaType(raw.Header.Get("Content-Type"))
	if (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) && strings.Contains(mediaType, "/") {
		p.contentType, p.charset = mediaType, params["charset"]
	}
	p.isFile = p.name != manifestName && (d.filename != "" || p.contentType == "application/octet-stream")
	filename := d.filename[strings.LastIndexAny(d.filename, `/\`)+1:]
	if filename != "." && filename != ".." {
		p.filename = filename
	}
	return p, nil
}

// skip counts a part that is ignored, and keeps the first few reasons for the log.
func (r *formReader) skip(raw *multipart.Part, reason error) {
	const maxReasons = 3
	if r.skipped++; r.skipped <= maxReasons {
		header := raw.Header.Get("Content-Disposition")
		r.reasons = append(r.reasons, fmt.Sprintf("%v: %s", reason, quoteShort(header)))
	}
}

// missing returns the cause of an error about a missing part.
func (r *formReader) missing(part string) error {
	if r.skipped == 0 {
		return errors.New("no part " + part)
	}
	return fmt.Errorf("no part %s; parts skipped: %d (%s)", part, r.skipped, strings.Join(r.reasons, "; "))
}

// quoteShort quotes and shortens the caller's text for the log.
func quoteShort(text string) string {
	const maxSize = 100
	if len(text) > maxSize {
		return strconv.Quote(text[:maxSize]) + "…"
	}
	return strconv.Quote(text)
}

// count checks the limits on the number of parts. P is nil for a part that is skipped.
func (r *formReader) count(p *formPart) error {
	switch {
	case p == nil:
		if r.others++; r.others > r.limits.MaxFields {
			return formTooLarge("Parts")
		}
	case p.isFile:
		if r.files++; r.files > r.limits.MaxFiles {
			return formTooLarge("Files")
		}
	default:
		if r.fields++; r.fields > r.limits.MaxFields {
			return formTooLarge("Fields")
		}
	}
	return nil
}

// formTooLarge returns the error for a form over a limit.
func formTooLarge(limit string) *Error {
	return &Error{Code: CodePayloadTooLarge, Message: limit + " limit exceeded"}
}

// readEpilogue reads the bytes after the form, so that the connection can be used again.
func (r *formReader) readEpilogue() error {
	_, err := io.CopyN(io.Discard, r.body, maxPartHeader)
	if err == io.EOF {
		return nil
	}
	return err
}

const unlimited = -1

// boundedReader fails after left bytes, unless that is unlimited. It returns
// io.ErrUnexpectedEOF at the end of src: mime/multipart would take a header that io.EOF cuts
// for the end of the form. It keeps an error of src, because mime/multipart takes a line that
// such an error cuts for a complete line, and reports that this is malformed.
type boundedReader struct {
	src  io.Reader
	left int
	err  error
}

func (r *boundedReader) Read(b []byte) (int, error) {
	if r.left == 0 {
		return 0, errFormLayout
	}
	if r.left != unlimited {
		b = b[:min(len(b), r.left)]
	}
	n, err := r.src.Read(b)
	if r.left != unlimited {
		r.left -= n
	}
	switch err {
	case nil:
	case io.EOF:
		err = io.ErrUnexpectedEOF
	default:
		r.err = err
	}
	return n, err
}
