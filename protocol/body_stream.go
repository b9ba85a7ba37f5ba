package protocol

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Body is the body of a request while it arrives. A gzip body is decoded. Read and
// Close may be called concurrently.
//
// The errors of Read are 413 for a body over the limit, 408 when the server's read
// timeout ran out, 499 when the caller left, or sends no more before the body has ended,
// and STREAM_ERROR for a body that is badly chunked or is not gzip, each an *Error.
type Body struct {
	ctx     context.Context
	cancel  context.CancelFunc
	r       *http.Request
	control *http.ResponseController
	src     io.Reader
	decoded io.Reader
	left    int64 // of the limit, if there is one
	limited bool
	unwatch []func()

	mu          sync.Mutex
	begun       bool
	reading     bool
	closed      bool
	interrupted bool // by Close, as net/http takes for the end of the connection
	failing     bool // by itself, of which net/http tells by the context before Read returns
	ended       bool // to its last byte
	err         error
}

var errBodyClosed = errors.New("protocol: the body is closed")

// OpenBody returns the body of r, which may be limit bytes long, counted after decoding;
// zero means any length. The answer may begin before the body has ended, and does not
// wait for it. The error is 415 for an encoding other than gzip and 413 for a
// Content-Length over the limit. Release must be called before the handler returns.
func OpenBody(w http.ResponseWriter, r *http.Request, limit int64) (*Body, error) {
	b := &Body{r: r, control: http.NewResponseController(w), src: r.Body, left: limit, limited: limit > 0}
	if r.Body == nil { // not so in a server, but in tests
		b.src = http.NoBody
	}
	raw := rawBody{b}
	switch strings.ToLower(CombinedHeader(r.Header, "Content-Encoding")) {
	case "", "identity":
		if b.limited && r.ContentLength > limit {
			return nil, &Error{Code: CodePayloadTooLarge}
		}
		b.decoded = raw
	case "gzip", "x-gzip":
		b.decoded = &gzipBody{src: raw}
	default:
		return nil, errEncoding
	}
	if r.ProtoMajor == 1 {
		_ = b.control.EnableFullDuplex() // without it the answer waits for what is left of the body
	}
	b.watch()
	return b, nil
}

// watch derives the body's context from that of the request, which net/http cancels
// when Close interrupts a Read as it does when the caller leaves.
func (b *Body) watch() {
	parent := b.r.Context()
	b.ctx, b.cancel = context.WithCancel(context.WithoutCancel(parent))
	if deadline, ok := parent.Deadline(); ok {
		outer := b.cancel
		var cancel context.CancelFunc
		b.ctx, cancel = context.WithDeadline(b.ctx, deadline)
		b.cancel = func() { cancel(); outer() }
	}
	b.follow(parent, b.parentDone)
	b.follow(b.ctx, func() { _ = b.Close() })
}

// follow calls fn when ctx is done, until the body is released, which waits for it.
func (b *Body) follow(ctx context.Context, fn func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		fn()
	})
	b.unwatch = append(b.unwatch, func() {
		if !stop() {
			<-done
		}
	})
}

// parentDone cancels the context if it is the caller who has left. It has a deadline
// of its own.
func (b *Body) parentDone() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.interrupted && errors.Is(b.r.Context().Err(), context.Canceled) {
		b.cancel()
	}
}

// Context returns the context of the request with one difference: closing the body
// does not cancel it. Once it is done Read returns an error.
func (b *Body) Context() context.Context { return b.ctx }

// Read reads the decoded body.
func (b *Body) Read(p []byte) (int, error) {
	if b.limited && int64(len(p)) > b.left {
		p = p[:b.left+1] // one more, to see whether there is
	}
	n, err := b.decoded.Read(p)
	if b.limited {
		if b.left -= int64(n); b.left < 0 {
			b.left = 0
			b.decoded = failedReader{errTooLarge}
			return 0, b.fail(errTooLarge)
		}
	}
	switch {
	case err == nil, err == io.EOF:
		return n, err
	case errors.Is(err, errBodyClosed):
		return n, err
	}
	return n, b.fail(err)
}

func (b *Body) fail(err error) error {
	failed := bodyError(err, CodeStream)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = failed
	}
	return b.err
}

// Err returns the first error that Read returned for what is wrong with the body, nil if
// none: it says more than what a task makes of it.
func (b *Body) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// Close makes a Read that waits for the caller return, and all later ones fail.
func (b *Body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reading && !b.closed {
		b.interrupted = true
		b.failing = b.r.ProtoMajor == 1 && errors.Is(b.r.Context().Err(), context.Canceled)
		_ = b.control.SetReadDeadline(past) // a writer without it waits for the server's own timeout
	}
	b.closed = true
	return nil
}

// Release ends the body's use. What is left of it is for [Unread] to drop.
func (b *Body) Release() {
	_ = b.Close()
	for _, stop := range b.unwatch {
		stop()
	}
	b.cancel()
}

// Begun reports whether the body was read from.
func (b *Body) Begun() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun
}

// Ended reports whether the body was read to its end.
func (b *Body) Ended() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended && !b.interrupted
}

// rawBody is the body before decoding.
type rawBody struct{ body *Body }

func (r rawBody) Read(p []byte) (int, error) {
	b := r.body
	b.mu.Lock()
	if b.closed {
		defer b.mu.Unlock()
		return 0, b.whyClosed()
	}
	b.begun, b.reading = true, true
	b.mu.Unlock()

	n, err := b.src.Read(p)

	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading = false
	switch {
	case err == nil:
	case err == io.EOF:
		b.ended = true
	case b.interrupted && !b.failing:
		err = b.whyClosed() // the error is but that of the interruption
	default:
		if err = (arriving{b.r}).failure(err); aborted(err) {
			b.cancel() // at once, so that nobody takes the error for another one
		}
	}
	return n, err
}

// whyClosed returns the error for a Read of a closed body. The end of the context closes
// it too.
func (b *Body) whyClosed() error {
	switch err := b.ctx.Err(); {
	case err == nil:
		return errBodyClosed
	case errors.Is(err, context.Canceled):
		return &Error{Code: CodeRequestAborted, Err: err}
	default:
		return fmt.Errorf("%w: %w", errBodyClosed, err)
	}
}

// gzipBody decodes src from the first Read on.
type gzipBody struct {
	src     io.Reader
	decoder *gzip.Reader
}

func (g *gzipBody) Read(p []byte) (n int, err error) {
	if g.decoder == nil {
		if g.decoder, err = gzip.NewReader(g.src); err != nil {
			return 0, err // io.EOF if there are no bytes at all: the same as no body
		}
	}
	return g.decoder.Read(p)
}

type failedReader struct{ err error }

func (f failedReader) Read([]byte) (int, error) { return 0, f.err }
