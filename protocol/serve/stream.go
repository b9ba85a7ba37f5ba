package serve

import (
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"strconv"

	"github.com/bluelibs/go-tunnel/protocol"
)

// ErrStreamCut says that a streamed body ended before its source did. A part of the answer
// was sent by then, so only the connection can tell the caller: it must be aborted.
var ErrStreamCut = errors.New("stream cut short")

// streamBuffer is how much of a stream is read at once.
const streamBuffer = 64 << 10

// WriteStream answers with r.Stream and closes it. What can be read is sent and flushed at
// once. An error before the first byte, or before the header if r.FlushHeader is set, is
// returned as it is, and nothing was sent. A later error, of the source, of its Close or of
// the connection, wraps ErrStreamCut. An error of the connection is a *protocol.Error too:
// 499, since the caller has left, unless a deadline of the server has passed.
func WriteStream(x Exchange, r *protocol.Reply) (err error) {
	started := false
	defer func() { // also if the source panics
		err = errors.Join(err, r.Stream.Close())
		if started && err != nil {
			err = errors.Join(ErrStreamCut, err)
		}
	}()
	buf := make([]byte, streamBuffer)
	n := 0
	if !r.FlushHeader || !protocol.HasBody(r.Status) {
		if n, err = readSome(r.Stream, buf); n == 0 && err != nil && err != io.EOF {
			return err
		}
	}
	started = true
	status := protocol.StatusWithBody(r.Status)
	bodyless := n == 0 && err == io.EOF && !protocol.HasBody(r.Status)
	if bodyless {
		status = r.Status // nothing is lost
	}
	setStreamHeader(x.Header(), r, status)
	x.WriteHeader(status)
	if bodyless {
		return nil // whatever Content-Length says
	}
	return copyStream(x, r.Stream, buf, n, err)
}

// copyStream continues after a first read of n bytes that ended with readErr. An error does
// not count once all bytes of the Content-Length were sent: the caller may leave by then.
func copyStream(x Exchange, stream io.Reader, buf []byte, n int, readErr error) error {
	length, err := strconv.ParseInt(x.Header().Get("Content-Length"), 10, 64)
	promised := err == nil && length >= 0 // net/http drops a value that is not a length
	for {
		if n > 0 { // a status without a body allows not even an empty one
			if promised && length < int64(n) {
				return http.ErrContentLength
			}
			if _, err := x.Write(buf[:n]); err != nil {
				return sendError(err)
			}
			length -= int64(n)
		}
		switch {
		case readErr == io.EOF && promised && length > 0:
			return io.ErrUnexpectedEOF // HTTP/2 would end the stream in good order
		case readErr == io.EOF, readErr != nil && promised && length == 0:
			return nil
		case readErr != nil:
			return readErr
		}
		if n < len(buf) {
			if err := x.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return sendError(err)
			}
		}
		n, readErr = readSome(stream, buf)
	}
}

// sendError returns the error for an answer that could not be sent. The reason is that the
// caller has left, unless the server or something around the handler has refused to send.
func sendError(err error) error {
	for _, own := range []error{os.ErrDeadlineExceeded, http.ErrHandlerTimeout, http.ErrBodyNotAllowed, http.ErrContentLength} {
		if errors.Is(err, own) {
			return err
		}
	}
	return &protocol.Error{Code: protocol.CodeRequestAborted, Err: err}
}

// maxEmptyReads is how many times in a row a reader may return neither bytes nor an error.
const maxEmptyReads = 100

func readSome(r io.Reader, buf []byte) (n int, err error) {
	for range maxEmptyReads {
		if n, err = r.Read(buf); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// ownHeaders cannot be set by a stream: the protocol or the server sets them.
var ownHeaders = map[string]bool{
	"Access-Control-Allow-Credentials": true, "Access-Control-Allow-Origin": true, "Connection": true,
	"Keep-Alive": true, "Set-Cookie": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
	"X-Content-Type-Options": true, "X-Frame-Options": true, protocol.HeaderRequestID: true,
}

func setStreamHeader(h http.Header, r *protocol.Reply, status int) {
	contentType := r.ContentType
	if contentType == "" && protocol.HasBody(status) {
		contentType = "application/octet-stream"
	}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	for name, values := range r.StreamHeader {
		switch name = textproto.CanonicalMIMEHeaderKey(name); {
		case ownHeaders[name]:
		case name == "Vary": // CORS may have set it to Origin
			h[name] = append(h[name], values...)
		default:
			h[name] = values
		}
	}
}
