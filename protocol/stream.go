package protocol

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"strconv"
)

// ErrStreamCut says that a streamed body ended before its source did. The answer is
// on its way by then, so the connection is all that can tell: it must be aborted.
var ErrStreamCut = errors.New("stream cut short")

// streamBuffer is how much of a stream is read at once.
const streamBuffer = 64 << 10

// WriteStream answers with r.Stream and closes it. What can be read is sent and
// flushed at once. An error before the first byte, or before the header if r.FlushHeader
// is set, is returned as it is, with nothing sent; a later one, of the source, of its
// Close or of the connection, wraps ErrStreamCut. One of the connection is an *Error too,
// 499 since the caller has left, but for those of deadlines of the server.
func WriteStream(w http.ResponseWriter, r *Reply) (err error) {
	started := false
	defer func() { // after a panic of the source too
		err = errors.Join(err, r.Stream.Close())
		if started && err != nil {
			err = errors.Join(ErrStreamCut, err)
		}
	}()
	buf := make([]byte, streamBuffer)
	n := 0
	if !r.FlushHeader || hasNoBody(r.Status) {
		if n, err = readSome(r.Stream, buf); n == 0 && err != nil && err != io.EOF {
			return err
		}
	}
	started = true
	status := bodyStatus(r.Status)
	bodyless := n == 0 && err == io.EOF && hasNoBody(r.Status)
	if bodyless {
		status = r.Status // nothing is lost
	}
	setStreamHeader(w.Header(), r, status)
	w.WriteHeader(status)
	if bodyless {
		return nil // whatever length a header tells of
	}
	return copyStream(w, r.Stream, buf, n, err)
}

// copyStream goes on from a first read of n bytes that ended with readErr. What fails when
// all that the header has promised was sent is nobody's loss: a caller may leave by then.
func copyStream(w http.ResponseWriter, stream io.Reader, buf []byte, n int, readErr error) error {
	flush := http.NewResponseController(w)
	length, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64)
	promised := err == nil && length >= 0 // net/http drops what is no length
	for {
		if n > 0 { // a status without a body allows not even an empty one
			if promised && length < int64(n) {
				return http.ErrContentLength
			}
			if _, err := w.Write(buf[:n]); err != nil {
				return sendError(err)
			}
			length -= int64(n)
		}
		switch {
		case readErr == io.EOF && promised && length > 0:
			return io.ErrUnexpectedEOF // HTTP/2 would end it in good order
		case readErr == io.EOF, readErr != nil && promised && length == 0:
			return nil
		case readErr != nil:
			return readErr
		}
		if n < len(buf) {
			if err := flush.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return sendError(err)
			}
		}
		n, readErr = readSome(stream, buf)
	}
}

// sendError returns the error for what could not be sent: the caller's leaving, unless the
// server or something around the handler has refused it.
func sendError(err error) error {
	for _, own := range []error{os.ErrDeadlineExceeded, http.ErrHandlerTimeout, http.ErrBodyNotAllowed, http.ErrContentLength} {
		if errors.Is(err, own) {
			return err
		}
	}
	return &Error{Code: CodeRequestAborted, Err: err}
}

// Holds returns the type of the writer, of those that wrap each other, that neither flushes
// nor can be unwrapped, so that a stream is held back; "" if there is none.
func Holds(w http.ResponseWriter) string {
	for {
		switch writer := w.(type) {
		case http.Flusher, interface{ FlushError() error }:
			return ""
		case interface{ Unwrap() http.ResponseWriter }:
			w = writer.Unwrap()
		default:
			return fmt.Sprintf("%T", w)
		}
	}
}

// maxEmptyReads is how often a reader may return nothing in a row.
const maxEmptyReads = 100

func readSome(r io.Reader, buf []byte) (n int, err error) {
	for range maxEmptyReads {
		if n, err = r.Read(buf); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// ownHeaders are not for a stream to set: the protocol, or net/http, does.
var ownHeaders = map[string]bool{
	"Access-Control-Allow-Credentials": true, "Access-Control-Allow-Origin": true, "Connection": true,
	"Keep-Alive": true, "Set-Cookie": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
	"X-Content-Type-Options": true, "X-Frame-Options": true, HeaderRequestID: true,
}

func setStreamHeader(h http.Header, r *Reply, status int) {
	contentType := r.ContentType
	if contentType == "" && !hasNoBody(status) {
		contentType = "application/octet-stream"
	}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	for name, values := range r.StreamHeader {
		switch name = textproto.CanonicalMIMEHeaderKey(name); {
		case ownHeaders[name]:
		case name == "Vary": // beside what the protocol says of Origin
			h[name] = append(h[name], values...)
		default:
			h[name] = values
		}
	}
}
