package protocol

import (
	"errors"
	"io"
	"net/http"
	"net/textproto"
)

// ErrStreamCut says that a streamed body ended before its source did. The answer is
// on its way by then, so the connection is all that can tell: it must be aborted.
var ErrStreamCut = errors.New("stream cut short")

// streamBuffer is how much of a stream is read at once.
const streamBuffer = 32 << 10

// WriteStream answers with r.Stream and closes it. What can be read is sent and
// flushed at once. An error before the first byte is returned as it is, with nothing
// sent; a later one, of the source or of the connection, wraps ErrStreamCut.
func WriteStream(w http.ResponseWriter, r *Reply) (err error) {
	defer func() { err = errors.Join(err, r.Stream.Close()) }()
	buf := make([]byte, streamBuffer)
	n, readErr := r.Stream.Read(buf)
	for n == 0 && readErr == nil {
		n, readErr = r.Stream.Read(buf)
	}
	if readErr != nil && readErr != io.EOF && n == 0 {
		return readErr
	}
	setStreamHeader(w.Header(), r)
	w.WriteHeader(streamStatus(r.Status))
	flush := http.NewResponseController(w)
	for {
		if _, err := w.Write(buf[:n]); err != nil {
			return errors.Join(ErrStreamCut, err)
		}
		if readErr == io.EOF {
			return nil
		}
		if readErr != nil {
			return errors.Join(ErrStreamCut, readErr)
		}
		if n < len(buf) {
			if err := flush.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return errors.Join(ErrStreamCut, err)
			}
		}
		n, readErr = r.Stream.Read(buf)
	}
}

func streamStatus(status int) int {
	switch {
	case status == 0:
		return http.StatusOK
	case status < 200, status > 599, status == http.StatusNoContent, status == http.StatusNotModified:
		return http.StatusInternalServerError
	}
	return status
}

// ownHeaders are not for a stream to set: the protocol, or net/http, does.
var ownHeaders = map[string]bool{
	"Access-Control-Allow-Credentials": true, "Access-Control-Allow-Origin": true, "Connection": true,
	"Keep-Alive": true, "Set-Cookie": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
	"Vary": true, "X-Content-Type-Options": true, "X-Frame-Options": true, HeaderRequestID: true,
}

func setStreamHeader(h http.Header, r *Reply) {
	contentType := r.ContentType
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	h.Set("Content-Type", contentType)
	for name, values := range r.StreamHeader {
		if name = textproto.CanonicalMIMEHeaderKey(name); !ownHeaders[name] {
			h[name] = values
		}
	}
}
