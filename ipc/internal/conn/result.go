package conn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
)

const (
	// InitialWindow is how many bytes of a result a worker may send before the first window
	// message.
	InitialWindow = 16 << 10
	// StreamWindow bounds the bytes of a result that its reader has not read yet.
	StreamWindow = 256 << 10
	// maxWindows bounds the windows of all results of a worker together. Further results have
	// InitialWindow.
	maxWindows = 16 << 20
)

// result is a result that is a stream, an io.ReadCloser. The worker may send at most a window of
// bytes before they are read.
type result struct {
	c           *Conn
	id          uint64
	call        *pendingCall
	stopContext func() bool // see cancelWith

	rest  []byte // the unread bytes of chunk
	chunk *buffer

	// Under the lock of c.
	readable sync.Cond // a chunk has come, or err is set
	chunks   []chunk
	err      error // the end after the chunks; nil while it is not known
	window   int
	credit   int // the bytes that the worker may send
	consumed int // the bytes that were taken from chunks and not yet given as credit
}

type chunk struct {
	buf  *buffer
	size int
}

// buffer has room for a data message.
type buffer [headRoom + wire.MaxData]byte

// newResult returns the result of a call whose answer announces a stream. The lock is held.
func newResult(c *Conn, id uint64, call *pendingCall) *result {
	r := &result{c: c, id: id, call: call, window: InitialWindow, credit: InitialWindow}
	r.readable.L = &c.mu
	if c.windows+StreamWindow <= maxWindows {
		r.window = StreamWindow
		r.addCredit(StreamWindow - InitialWindow)
	}
	c.windows += r.window
	return r
}

func (r *result) addCredit(size int) {
	r.credit += size
	r.c.send(wire.AppendWindow(r.c.out, r.id, size))
}

// cancelWith cancels the result when ctx is done.
func (r *result) cancelWith(ctx context.Context) {
	r.stopContext = context.AfterFunc(ctx, func() { r.cancel(ctx.Err()) })
}

// Read waits for bytes. It fails when the caller's context is done or the worker has ended.
func (r *result) Read(p []byte) (n int, err error) {
	if len(r.rest) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n = copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// next waits for the next chunk to read.
func (r *result) next() error {
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.chunk != nil {
		c.buffers.Put(r.chunk)
		r.chunk = nil
	}
	for len(r.chunks) == 0 {
		if r.err != nil {
			return r.err
		}
		r.readable.Wait()
	}
	next := r.chunks[0]
	r.chunks = append(r.chunks[:0], r.chunks[1:]...)
	r.chunk, r.rest = next.buf, next.buf[:next.size]
	if r.consumed += next.size; r.consumed >= r.window/2 && r.err == nil {
		r.addCredit(r.consumed)
		r.consumed = 0
	}
	return nil
}

// cancel drops the unread bytes, and cancels the call.
func (r *result) cancel(err error) {
	c := r.c
	c.mu.Lock()
	abandon := c.pending[r.id] == r.call && !r.call.abandoned
	var deadline time.Time
	if abandon {
		deadline = time.Now().Add(c.CancelGrace)
		r.call.abandoned, r.call.deadline = true, deadline
		c.send(wire.AppendCancel(c.out, r.id))
	}
	r.chunks = nil
	if r.err == nil || r.err == io.EOF {
		r.err = err
	}
	r.readable.Broadcast()
	c.mu.Unlock()
	if abandon {
		c.Abandoned(deadline)
	}
}

// end sets the end after the last chunk. The lock is held.
func (r *result) end(err error) {
	r.c.windows -= r.window
	if r.err == nil {
		r.err = err
		r.readable.Broadcast()
	}
}

// Close drops the unread bytes, and returns when nothing reads the request any more.
func (r *result) Close() error {
	r.stopContext()
	r.rest = nil
	r.cancel(os.ErrClosed)
	r.call.request.close(true)
	return nil
}

// receiveData reads the bytes after a data message.
func (c *Conn) receiveData(m *wire.Message, in io.Reader) error {
	if m.N < 0 || m.N > wire.MaxData {
		return fmt.Errorf("invalid data size %d", m.N)
	}
	buf := c.buffer()
	if _, err := io.ReadFull(in, buf[:m.N]); err != nil {
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pending[m.ID]
	if p == nil || p.result == nil || m.N == 0 { // cancelled in the meantime
		c.buffers.Put(buf)
		return nil
	}
	r := p.result
	if r.credit -= m.N; r.credit < 0 {
		return errors.New("window exceeded")
	}
	if r.err != nil {
		c.buffers.Put(buf)
		return nil
	}
	if last := len(r.chunks) - 1; last >= 0 && r.chunks[last].size+m.N <= wire.MaxData {
		// A buffer for each small message would take far more memory than the window.
		r.chunks[last].size += copy(r.chunks[last].buf[r.chunks[last].size:], buf[:m.N])
		c.buffers.Put(buf)
		return nil
	}
	r.chunks = append(r.chunks, chunk{buf, m.N})
	r.readable.Signal()
	return nil
}

// receiveEnd ends a call whose result is a stream.
func (c *Conn) receiveEnd(m *wire.Message) {
	err := io.EOF
	if m.Error != "" {
		err = errors.New("ipc: the worker reports: " + m.Error)
	}
	c.mu.Lock()
	p := c.pending[m.ID]
	if p == nil || !p.detached {
		c.mu.Unlock()
		return
	}
	delete(c.pending, m.ID)
	if p.cancelled && err == io.EOF {
		err = errDrainTimeout // the handler may have ended it without an error
	}
	if p.result != nil {
		p.result.end(err)
	}
	abandoned := p.abandoned
	c.mu.Unlock()
	c.Released(p.size, abandoned)
}

// buffer returns a buffer for a data message.
func (c *Conn) buffer() *buffer {
	if buf, ok := c.buffers.Get().(*buffer); ok {
		return buf
	}
	return new(buffer)
}
