package main

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// impatient gives each single read of a request's body, and each write of an answer, a
// limited time. A caller that goes on may take as long as it likes; one that stands
// still is let go: with 408 if it sends too slowly, by the end of its connection if it
// does not take its answer. Time that the task takes does not count.
func impatient(next http.Handler, patience time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := &limited{ResponseWriter: w, control: http.NewResponseController(w), patience: patience}
		timed := *r
		timed.Body = &timedBody{r.Body, l}
		next.ServeHTTP(l, &timed)
		_ = l.control.SetWriteDeadline(time.Now().Add(patience)) // for what net/http still holds back
	})
}

// limited sets deadlines for the time of a write, and none between two: over HTTP/2 a
// deadline ends the request even if nothing is written.
type limited struct {
	http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration

	mu   sync.Mutex
	held bool // the handler has set a deadline of its own for reading
}

// maxWrite is how much must go within the limit. A long answer has many limits.
const maxWrite = 64 << 10

func (l *limited) Write(p []byte) (n int, err error) {
	for {
		part := p[n:min(len(p), n+maxWrite)]
		_ = l.control.SetWriteDeadline(time.Now().Add(l.patience))
		wrote, err := l.ResponseWriter.Write(part)
		_ = l.control.SetWriteDeadline(time.Time{})
		if n += wrote; err != nil || n >= len(p) {
			return n, err
		}
	}
}

// FlushError is what http.ResponseController calls.
func (l *limited) FlushError() error {
	_ = l.control.SetWriteDeadline(time.Now().Add(l.patience))
	defer func() { _ = l.control.SetWriteDeadline(time.Time{}) }()
	return l.control.Flush()
}

// SetReadDeadline is how the handler ends a read from elsewhere. From then on the
// deadline is its own.
func (l *limited) SetReadDeadline(deadline time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = true
	return l.control.SetReadDeadline(deadline)
}

// Unwrap gives http.ResponseController, and the handler, the rest of the writer.
func (l *limited) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *limited) readBy(deadline time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held {
		_ = l.control.SetReadDeadline(deadline)
	}
}

type timedBody struct {
	io.ReadCloser
	limited *limited
}

func (b *timedBody) Read(p []byte) (int, error) {
	b.limited.readBy(time.Now().Add(b.limited.patience))
	defer b.limited.readBy(time.Time{})
	return b.ReadCloser.Read(p)
}
