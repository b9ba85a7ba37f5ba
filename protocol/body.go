package protocol

import (
	"compress/gzip"
	"io"
	"math"
	"net/http"
	"strings"
	"unicode/utf8"
)

// ReadBody reads the whole body of r, into buf where it fits, and returns it as
// UTF-8: what is none is replaced by U+FFFD. A gzip body is decoded.
//
// It is at most limit bytes long, counted after decoding and before that replacement
// (which makes three bytes of one at most); a longer one is refused
// with 413 as soon as that is known, which for a declared Content-Length is at once.
// The other errors are 415 for an encoding other than gzip, 400 for a body that is badly
// chunked or is not gzip, 408 when the server's read timeout ran out and 499 when the
// caller left, or sends no more before the body has ended. Every error is an *Error.
func ReadBody(buf []byte, r *http.Request, limit int64) ([]byte, error) {
	var body []byte
	var err error
	if r.Body == nil { // not so in a server, but in tests
		return buf[:0], nil
	}
	switch strings.ToLower(CombinedHeader(r.Header, "Content-Encoding")) {
	case "", "identity":
		if r.ContentLength > limit {
			return nil, &Error{Code: CodePayloadTooLarge}
		}
		body, err = readAll(buf, arriving{r}, r.ContentLength, limit)
	case "gzip", "x-gzip":
		body, err = readGzip(buf, arriving{r}, limit)
	default:
		return nil, errEncoding
	}
	if err != nil {
		return nil, bodyError(err, CodeInvalidJSON)
	}
	if !utf8.Valid(body) {
		body = replaceInvalidUTF8(body)
	}
	return body, nil
}

var errEncoding = &Error{Code: CodeUnsupportedMediaType, Message: "Unsupported content encoding"}

// minRead is the room to have before a read of unknown length.
const minRead = 512

// maxTrust is how much memory a declared length gets before its bytes are there.
const maxTrust = 1 << 20

// readAll reads src to its end, of which size bytes are announced (-1: unknown).
func readAll(buf []byte, src io.Reader, size, limit int64) ([]byte, error) {
	buf = buf[:0]
	if want := min(size, maxTrust) + 1; int64(cap(buf)) < want { // one more, to see the end
		buf = make([]byte, 0, want)
	}
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, max(minRead, len(buf)))...)[:len(buf)]
		}
		n, err := src.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return nil, errTooLarge
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// gzipSlack is how much longer than the limit a gzip body may be before decoding:
// what cannot be compressed gets a little longer. Beyond it are only bodies made of
// empty gzip members, which would otherwise cost time without end.
const gzipSlack = 64 << 10

func readGzip(buf []byte, src io.Reader, limit int64) ([]byte, error) {
	limit = min(limit, math.MaxInt64/2)
	bounded := &io.LimitedReader{R: src, N: limit + limit/8 + gzipSlack}
	decoder, err := gzip.NewReader(bounded)
	if err == io.EOF { // no bytes at all: the same as no body
		return buf[:0], nil
	}
	if err != nil {
		return nil, err
	}
	body, err := readAll(buf, decoder, -1, limit)
	if bounded.N <= 0 {
		return nil, errTooLarge
	}
	return body, err
}

// replaceInvalidUTF8 returns a copy of data with U+FFFD in place of what is not UTF-8:
// one for each maximal part of a sequence, as the WHATWG's decoder does it.
func replaceInvalidUTF8(data []byte) []byte {
	clean := make([]byte, 0, len(data)+len(data)/8)
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			for size < len(data) && !utf8.FullRune(data[:size+1]) { // still the beginning of a sequence
				size++
			}
		}
		clean = utf8.AppendRune(clean, r)
		data = data[size:]
	}
	return clean
}
