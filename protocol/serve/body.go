package serve

import (
	"compress/gzip"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// ReadBody reads the whole body of r from x, into buf if it fits, and returns it. A gzip
// body is decoded.
//
// The body has at most limit bytes, counted after decoding. A longer one is refused with
// 413 as soon as that is known, which for a declared Content-Length is at once. The other
// errors are 415 for an encoding other than gzip, 400 for a body that is badly chunked or
// is not gzip, 408 when the server's read timeout ran out, and 499 when the caller left or
// sends no more before the body has ended. Every error is a *protocol.Error.
func ReadBody(buf []byte, x Exchange, r *http.Request, limit int64) (body []byte, err error) {
	switch strings.ToLower(protocol.CombinedHeader(r.Header, "Content-Encoding")) {
	case "", "identity":
		if r.ContentLength > limit {
			return nil, &protocol.Error{Code: protocol.CodePayloadTooLarge}
		}
		body, err = readAll(buf, x, r.ContentLength, limit)
	case "gzip", "x-gzip":
		body, err = readGzip(buf, x, limit)
	default:
		return nil, errEncoding
	}
	if err != nil {
		return nil, bodyError(err, protocol.CodeInvalidJSON)
	}
	return body, nil
}

var (
	errEncoding = &protocol.Error{Code: protocol.CodeUnsupportedMediaType, Message: "Unsupported content encoding"}
	errTooLarge = errors.New("body over the limit")
)

// bodyError returns the error for a body that could not be read. Malformed is the code for
// a body that is itself wrong: badly chunked, or not gzip.
func bodyError(err error, malformed protocol.Code) *protocol.Error {
	var known *protocol.Error
	switch {
	case err == errTooLarge:
		return &protocol.Error{Code: protocol.CodePayloadTooLarge}
	case errors.As(err, &known):
		return known
	}
	return &protocol.Error{Code: malformed, Err: err}
}

// minRead is the least room in the buffer before a read of unknown length.
const minRead = 512

// maxTrust is how much memory a declared length gets before its bytes have arrived.
const maxTrust = 1 << 20

// readAll reads src to its end. Size is its declared length, -1 if that is unknown.
func readAll(buf []byte, src io.Reader, size, limit int64) ([]byte, error) {
	buf = buf[:0]
	if want := min(size, maxTrust) + 1; int64(cap(buf)) < want { // one byte more, to see the end
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

// gzipSlack, and an eighth of the limit, is how much longer than the limit a gzip body may be
// before decoding: data that cannot be compressed gets a little longer. A body beyond it
// consists of empty gzip members, which would otherwise cost time without end.
const gzipSlack = 64 << 10

// readGzip reads a JSON body. Body (body_stream.go) decodes raw bodies and forms; Limits.MaxForm
// bounds the latter.
func readGzip(buf []byte, src io.Reader, limit int64) ([]byte, error) {
	limit = min(limit, math.MaxInt64/2)
	bounded := &io.LimitedReader{R: src, N: limit + limit/8 + gzipSlack}
	decoder, err := gzip.NewReader(bounded)
	if err == io.EOF { // no bytes at all are the same as no body
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
