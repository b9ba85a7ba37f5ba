package conn

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
)

// request has the streams of a call's request, which the worker may read.
type request struct {
	c       *Conn
	id      uint64
	ctx     context.Context // of the call
	call    *protocol.Call
	uploads []*upload // by their numbers
	closed  bool      // nothing more is sent; under the lock of c
	reads   sync.WaitGroup
}

// upload is one stream of a request. It reads its source only as far as it has credit.
type upload struct {
	r      *request
	stream int // the number

	source io.ReadCloser // set by open

	// Under the lock of r.c.
	changed sync.Cond // a field below, r.closed or r.c.closed has changed
	credit  int
	opened  bool
	stopped bool   // the worker wants no more of it
	message []byte // a data message that waits for the writer
}

// newRequest returns the streams of a call's request, nil if there are none. The lock is held.
func newRequest(ctx context.Context, c *Conn, id uint64, call *protocol.Call) *request {
	if call == nil || call.Body == nil && call.Form == nil {
		return nil
	}
	r := &request{c: c, id: id, ctx: ctx, call: call}
	streams := 1 // stream 0 is the body; forms do not use it
	if call.Form != nil {
		streams += len(call.Form.FileIDs())
	}
	for n := range streams {
		u := &upload{r: r, stream: n}
		u.changed.L = &c.mu
		r.uploads = append(r.uploads, u)
	}
	return r
}

// upload returns the stream of a message, nil if the request is closed. The lock is held.
func (c *Conn) upload(m *wire.Message) (*upload, error) {
	p := c.pending[m.ID]
	if p == nil || p.request == nil || p.request.closed {
		return nil, nil
	}
	first := 0
	if p.request.call.Form != nil {
		first = 1
	}
	if m.Stream < first || m.Stream >= len(p.request.uploads) {
		return nil, fmt.Errorf("invalid stream %d", m.Stream)
	}
	return p.request.uploads[m.Stream], nil
}

// maxCredit bounds the credit of a stream.
const maxCredit = 1 << 30

// receiveWindow adds credit to a stream of a request; result.go has the credit of results. The
// first window opens the stream.
func (c *Conn) receiveWindow(m *wire.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	u, err := c.upload(m)
	if u == nil {
		return err
	}
	if m.Size <= 0 || m.Size > maxCredit-u.credit {
		return fmt.Errorf("invalid window size %d", m.Size)
	}
	u.credit += m.Size
	u.changed.Broadcast()
	if !u.opened {
		u.opened = true
		u.r.reads.Add(1)
		go u.run()
	}
	return nil
}

// receiveStop ends a stream when the worker wants no more of it.
func (c *Conn) receiveStop(m *wire.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	u, err := c.upload(m)
	if u != nil {
		u.stopped = true
		u.changed.Broadcast()
	}
	return err
}

// close returns when nothing reads the request any more. It interrupts reads of a body, and if the
// call is aborted also those of a form. It does not wait for a worker that does not read: an upload
// whose message waits to be written ends with WriteLoop at the latest.
func (r *request) close(aborted bool) {
	if r == nil {
		return
	}
	reading := false
	r.c.mu.Lock()
	r.closed = true
	for _, u := range r.uploads {
		reading = reading || u.opened
		u.changed.Broadcast()
	}
	r.c.mu.Unlock()
	if !reading {
		return
	}
	if r.call.Body != nil {
		_ = r.call.Body.Close()
	} else if aborted {
		_ = r.call.Form.Close()
	}
	r.reads.Wait()
	for _, u := range r.uploads {
		if u.source != nil {
			_ = u.source.Close()
		}
	}
}

// beginRead begins a read of the request, which ends with r.reads.Done. It reports false if the
// request is closed. The lock is held.
func (r *request) beginRead() bool {
	if !r.closed {
		r.reads.Add(1)
	}
	return !r.closed
}

// headRoom is the space in front of a data message's bytes, for its line.
const headRoom = wire.MaxDataLine

// run sends the stream to its end. It reads ahead while the previous message is written.
func (u *upload) run() {
	err := u.open()
	u.r.reads.Done()
	if err != nil {
		u.sendEnd(err)
		return
	}
	defer u.close()
	c := u.r.c
	next, spare := c.buffer(), c.buffer()
	defer func() {
		c.buffers.Put(next)
		c.buffers.Put(spare)
	}()
	for err == nil {
		credit := u.waitForCredit()
		if credit == 0 {
			break
		}
		var n int
		n, err = u.source.Read(next[headRoom : headRoom+min(credit, wire.FullData)])
		u.r.reads.Done()
		if n > 0 {
			line := wire.AppendData(make([]byte, 0, headRoom), u.r.id, u.stream, n)
			start := headRoom - len(line)
			copy(next[start:], line)
			u.send(next[start:headRoom+n], n)
			next, spare = spare, next
		}
	}
	u.sendEnd(err)
}

// open waits for the stream's source. It sends the description of a file before its data.
func (u *upload) open() error {
	r := u.r
	if r.call.Body != nil {
		u.source = io.NopCloser(r.call.Body)
		return nil
	}
	part, err := r.call.Form.Open(r.call.Form.FileIDs()[u.stream-1])
	if err != nil {
		return err
	}
	u.source = part
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if !r.closed {
		r.c.send(wire.AppendFile(r.c.out, r.id, u.stream, part.Name, part.Type))
	}
	return nil
}

// close drops the rest of the stream, unless request.close does.
func (u *upload) close() {
	u.r.c.mu.Lock()
	reads := u.r.beginRead()
	u.r.c.mu.Unlock()
	if reads {
		_ = u.source.Close()
		u.r.reads.Done()
	}
}

// waitForCredit waits for credit, begins a read of the request and returns the credit. It returns 0
// if the stream is not wanted any more.
func (u *upload) waitForCredit() int {
	u.r.c.mu.Lock()
	defer u.r.c.mu.Unlock()
	for u.credit == 0 && u.wanted() {
		u.changed.Wait()
	}
	if !u.wanted() || !u.r.beginRead() {
		return 0
	}
	return u.credit
}

func (u *upload) wanted() bool { return !u.r.closed && !u.stopped && !u.r.c.closed }

// send sends a data message with n bytes after the previous one has been written. If nothing else
// waits to be written, it writes the message itself, since waking the writer would take longer.
// Otherwise the writer does.
func (u *upload) send(message []byte, n int) {
	c := u.r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	u.flush()
	if !u.wanted() {
		return
	}
	u.credit -= n
	if c.writing || len(c.out) > 0 || len(c.dataQueue) > 0 {
		u.message = message
		c.dataQueue = append(c.dataQueue, u)
		c.wake.Signal()
		return
	}
	c.writing = true
	_ = c.writeData(message) // the writer handles an error
	c.writing = false
	if len(c.out) > 0 || len(c.dataQueue) > 0 || c.closed || c.broken {
		c.wake.Signal()
	}
}

// flush waits until no data message waits for the writer. The lock is held.
func (u *upload) flush() {
	for u.message != nil {
		u.changed.Wait()
	}
}

// sent notes that the writer has finished a data message. The lock is held.
func (u *upload) sent() {
	u.message = nil
	u.changed.Broadcast()
}

// sendEnd tells the worker after the data that the stream has ended, or why it broke off. If it broke
// off because the caller has disconnected, nothing is sent: the cancel that follows has to come
// first, so that the task's signal is aborted when the stream breaks off.
func (u *upload) sendEnd(err error) {
	reason := ""
	if err != nil && err != io.EOF {
		reason = err.Error()
	}
	c := u.r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	u.flush()
	if u.wanted() && (reason == "" || u.r.ctx.Err() == nil) {
		c.send(wire.AppendEnd(c.out, u.r.id, u.stream, reason))
	}
}
