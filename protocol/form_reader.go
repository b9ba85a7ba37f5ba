package protocol

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

const (
	// formBuffer is how much of a form is read at once.
	formBuffer = 32 << 10
	// maxPartHeader bounds the header of a part with the delimiter before it, and
	// likewise what stands before the first delimiter and after the last.
	maxPartHeader = 64 << 10
)

var errFormLayout = errors.New("not the layout of a form")

// formReader reads the parts of a form one after the other and counts them.
type formReader struct {
	body     *bufio.Reader
	boundary string
	limits   Limits
	gate     gate
	parts    *multipart.Reader // nil before the first part

	files, fields, others int
}

// formPart is a part of a form, which is a file or a field.
type formPart struct {
	*multipart.Part
	name                  string
	isFile                bool
	filename, contentType string
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

// next returns the next part, whose predecessor must have been read to its end. The
// error is io.EOF, and only then that, at the end of the form.
func (r *formReader) next() (*formPart, error) {
	if r.parts == nil {
		if err := r.begin(); err != nil {
			return nil, err
		}
	}
	for {
		r.gate.left = maxPartHeader
		raw, err := r.parts.NextRawPart()
		r.gate.left = unlimited
		if err != nil {
			return nil, err
		}
		part := describe(raw)
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

// begin looks for the line that the form begins with. By one that ends with LF alone
// mime/multipart would read all of the form.
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
				// The last delimiter needs no line end: this is for the gate to tell it from a cut form.
				r.gate = gate{Reader: io.MultiReader(bytes.NewReader(bytes.Clone(line)), r.body, strings.NewReader("\r\n"))}
				r.parts = multipart.NewReader(&r.gate, r.boundary)
				return nil
			}
		}
		if err == io.EOF {
			return errFormLayout
		}
		if err != nil {
			return err
		}
		left -= len(line)
	}
	return errFormLayout
}

// describe reads the header of a part as Runner's server does. It returns nil for
// what is no part of a form, which is passed over.
func describe(raw *multipart.Part) *formPart {
	disposition, params, err := mime.ParseMediaType(raw.Header.Get("Content-Disposition"))
	if err != nil || disposition != "form-data" {
		return nil
	}
	p := &formPart{Part: raw, name: params["name"]}
	// An odd parameter does not spoil the type before it.
	mediaType, _, err := mime.ParseMediaType(raw.Header.Get("Content-Type"))
	if (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) && strings.Contains(mediaType, "/") {
		p.contentType = mediaType
	}
	filename := params["filename"]
	p.isFile = filename != "" || p.contentType == "application/octet-stream"
	filename = filename[strings.LastIndexAny(filename, `/\`)+1:]
	if filename != "." && filename != ".." {
		p.filename = filename
	}
	return p
}

// count holds the form to the limits that count parts.
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

// formTooLarge returns the error for a form that is over a limit.
func formTooLarge(limit string) *Error {
	return &Error{Code: CodePayloadTooLarge, Message: limit + " limit exceeded"}
}

// end reads what follows the form, so that the connection can be used again.
func (r *formReader) end() {
	_, _ = io.CopyN(io.Discard, r.body, maxPartHeader)
}

const unlimited = -1

// gate lets no more through than is left, if that is not unlimited. Its end comes
// unexpectedly: mime/multipart takes a header that io.EOF cuts for the end of the form.
type gate struct {
	io.Reader
	left int
}

func (g *gate) Read(b []byte) (int, error) {
	if g.left == 0 {
		return 0, errFormLayout
	}
	if g.left != unlimited {
		b = b[:min(len(b), g.left)]
	}
	n, err := g.Reader.Read(b)
	if g.left != unlimited {
		g.left -= n
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
