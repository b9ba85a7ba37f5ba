package protocol

import (
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// unreadTime is how long a caller has to send the rest of a body that nobody wants
	// before the connection is closed. That makes a caller that only sends at first notice
	// the answer.
	unreadTime = 100 * time.Millisecond
	// maxUnread is how much of it is read to keep the connection, as by net/http.
	maxUnread = 256 << 10
)

// DropBody reads what is left of the body of r, which nobody wants, so that the
// connection can be used again. It is for before the answer. Where there is too much
// left, or it takes more than 100 ms, the connection is closed after the answer. With a
// writer that has no deadlines it does nothing: net/http reads on its own then, until the
// server's own timeout.
func DropBody(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 1 || r.ContentLength == 0 || r.Body == nil {
		return
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Time{}) != nil {
		return
	}
	if readRest(control, r) {
		return
	}
	_ = control.SetReadDeadline(past)
	hangUp(w)
}

// past makes a Read that waits return.
var past = time.Unix(1, 0)

// readRest reports whether it has read the body of r to its end. If so no deadline was
// set: one that is there after the end would end the contexts of all requests that follow
// on the connection.
func readRest(control *http.ResponseController, r *http.Request) bool {
	// To read from a caller that expects 100-continue would be to send it that.
	if r.Body == nil || r.ContentLength > maxUnread || r.Header.Get("Expect") != "" {
		return false
	}
	interrupted := make(chan struct{})
	timer := time.AfterFunc(unreadTime, func() {
		defer close(interrupted)
		_ = control.SetReadDeadline(past)
	})
	_, err := io.CopyN(io.Discard, r.Body, maxUnread)
	if !timer.Stop() {
		<-interrupted
		return false
	}
	return err == io.EOF
}

// hangUp makes net/http close the connection of a request after its answer, since what
// is left of the request would be taken for the next one. It is what a body over the
// limit of http.MaxBytesReader does, of which the caller gets to read the answer.
func hangUp(w http.ResponseWriter) {
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = wrapper.Unwrap()
	}
	_, _ = http.MaxBytesReader(w, io.NopCloser(strings.NewReader("over")), 0).Read(make([]byte, 1))
}
