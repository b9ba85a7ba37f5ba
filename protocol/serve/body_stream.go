package serve

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Body is the body of a request while it arrives. A gzip body is decoded. Read and
// Close may be called concurrently.
//
// The errors of Read are 413 for a body over the limit, 408 when the server's read
// timeout ran out, 499 when the caller left or sends no more before the body has ended,
// and STREAM_ERROR for a body that is badly chunked or is not gzip, each a *protocol.Error.
type Body struct {
	ctx     context.Context
	cancel  context.CancelFunc
	request context.Context // of the request
	x       Exchange
	decoded io.Reader
	left    int64 // of the limit, if there is one
	limited bool
	unwatch []func()

	mu          sync.Mutex
	begun       bool
	reading     bool
	closed      bool
	interrupted bool // by Close, which may have cancelled the context of the request
	failing     bool // without the interruption too, since the connection has ended
	ended       bool // to its last byte
	err         error
}

var errBodyClosed = errors.New("serve: the body is closed")

// OpenBody returns the body of r. It may have limit bytes, counted after decoding; zero
// means any length. The answer may begin before the body has ended, and does not wait for
// it. The error is 415 for an encoding other than gzip and 413 for a Content-Length over
// the limit. Release must be called before the handler returns.
func OpenBody(x Exchange, r *http.Request, limit int64) (*Body, error) {
	b := &Body{request: r.Context(), x: x, left: limit, limited: limit > 0}
	raw := rawBody{b}
	switch strings.ToLower(protocol.CombinedHeader(r.Header, "Content-Encoding")) {
	case "", "identity":
		if b.limited && r.ContentLength > limit {
			return nil, &protocol.Error{Code: protocol.CodePayloadTooLarge}
		}
		b.decoded = raw
	case "gzip", "x-gzip":
		b.decoded = &gzipBody{src: raw}
	default:
		return nil, errEncoding
	}
	x.Duplex()
	b.watch()
	return b, nil
}

// watch derives the body's context from the context of the request. The server cancels
// that one when Close interrupts a Read, as it does when the caller leaves.
func (b *Body) watch() {
	b.ctx, b.cancel = context.WithCancel(context.WithoutCancel(b.request))
	if deadline, ok := b.request.Deadline(); ok {
		outer := b.cancel
		var cancel context.CancelFunc
		b.ctx, cancel = context.WithDeadline(b.ctx, deadline)
		b.cancel = func() { cancel(); outer() }
	}
	b.follow(b.request, b.requestDone)
	b.follow(b.ctx, func() { _ = b.Close() })
}

// follow calls fn when ctx is done, unless the body is released before. Release waits for
// a call that has begun.
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

// requestDone cancels the body's context if the caller has left. A deadline of the request
// is its own deadline too.
func (b *Body) requestDone() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.interrupted && errors.Is(b.request.Err(), context.Canceled) {
		b.cancel()
	}
}

// Context returns the context of the request with one difference: closing the body does
// not cancel it. Read returns an error once it is done.
func (b *Body) Context() context.Context { return b.ctx }

// Read reads the decoded body.
func (b *Body) Read(p []byte) (int, error) {
	if b.limited && int64(len(p)) > b.left {
		p = p[:b.left+1] // one byte more, to see whether the body ends
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
	failed := bodyError(err, protocol.CodeStream)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = failed
	}
	return b.err
}

// Err returns the first error of Read that says what is wrong with the body, nil if there
// is none. It says more than the error that a task makes of it.
func (b *Body) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// Close makes a Read that waits for the caller return, and every later Read fail.
func (b *Body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reading && !b.closed {
		b.interrupted = true
		b.failing = !b.x.InterruptRead()
	}
	b.closed = true
	return nil
}

// Release ends the use of the body. A [Linger] drops what was not read.
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

	n, err := b.x.Read(p)

	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading = false
	switch {
	case err == nil:
	case err == io.EOF:
		b.ended = true
	case b.interrupted && !b.failing:
		err = b.whyClosed() // the interruption is the reason for the error
	case aborted(err):
		b.cancel() // at once, before the task can see the error
	}
	return n, err
}

// aborted reports whether err says that the caller has left.
func aborted(err error) bool {
	var known *protocol.Error
	return errors.As(err, &known) && known.Code == protocol.CodeRequestAborted
}

// whyClosed returns the error for a Read of a closed body. The end of the context closes it
// too.
func (b *Body) whyClosed() error {
	switch err := b.ctx.Err(); {
	case err == nil:
		return errBodyClosed
	case errors.Is(err, context.Canceled):
		return &protocol.Error{Code: protocol.CodeRequestAborted, Err: err}
	default:
		return fmt.Errorf("%w: %w", errBodyClosed, err)
	}
}

// gzipBody decodes src. It reads nothing before the first Read.
type gzipBody struct {
	src     io.Reader
	decoder *gzip.Reader
}

func (g *gzipBody) Read(p []byte) (n int, err error) {
	if g.decoder == nil {
		if g.decoder, err = gzip.NewReader(g.src); err != nil {
			return 0, err // io.EOF if there are no bytes at all, which is the same as no body
		}
	}
	return g.decoder.Read(p)
}

type failedReader struct{ err error }

func (f failedReader) Read([]byte) (int, error) { return 0, f.err }
