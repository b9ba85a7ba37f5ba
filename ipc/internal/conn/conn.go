// Package conn is the conversation with one worker over two pipes, on either wire: the pending
// calls, the streams of requests and results with their windows, and writes in batches. It knows
// neither the worker's process nor the scheduling of calls.
package conn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/pipe"
	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
)

var (
	// ErrEnded is part of the error of a call whose worker has ended with it.
	ErrEnded = errors.New("ipc: worker ended")
	// ErrNotReceived is the error of a call that the worker has not read, so that another worker
	// may run it.
	ErrNotReceived = errors.New("ipc: the worker has not received the call")

	errInputClosed = errors.New("ipc: the worker has closed its input")
	// errDrainTimeout ends the calls that a worker still has after its time to drain.
	errDrainTimeout = &protocol.Error{Code: protocol.CodeWorkerCrashed, Err: fmt.Errorf("%w: its time to drain is over", ErrEnded)}
)

// Config has the pipes to a worker, limits, and functions to call when something happens. They are
// called without a lock of the Conn.
type Config struct {
	Requests, Answers *os.File // the pipes that the worker reads and writes
	Plain             bool     // the plain wire, not the framed one
	MaxAnswer         int      // the largest size of an answer, in bytes
	CancelGrace       time.Duration
	Log               *slog.Logger // for log messages of the worker

	Hello     func(*wire.Hello)              // the worker has sent a hello, on the framed wire
	Output    func(line []byte, cut int64)   // the worker has printed another line than an answer, on the plain wire
	Pong      func()                         // the worker has answered a ping
	Draining  func()                         // the worker wants no more calls
	Abandoned func(deadline time.Time)       // a caller has stopped reading its result; the call must end before the deadline
	Released  func(size int, abandoned bool) // a call that was pending after RoundTrip has ended; abandoned: its caller has stopped waiting
}

// Conn is the conversation with one worker. RoundTrip and the methods of this package that take no
// context are safe for concurrent use; ReadLoop and WriteLoop run once each.
type Conn struct {
	Config

	idle    sync.Pool // of *pendingCall that are not in pending
	buffers sync.Pool // of *buffer

	mu        sync.Mutex
	wake      sync.Cond               // there is something to write, or closed is set
	out       []byte                  // messages that wait for the writer
	dataQueue []*upload               // uploads with a data message that waits for the writer, in order
	writing   bool                    // the writer has taken messages and not yet written them
	lastID    uint64                  // ids are not used again
	pending   map[uint64]*pendingCall // by id; nil when the worker has ended
	draining  bool                    // no more calls are sent
	closed    bool                    // no more messages are sent; the writer closes the worker's input
	broken    bool                    // a write has failed
	windows   int                     // of all results together, in bytes

	// These tell which calls a worker had received before it ended.
	unreadable bool  // the worker's input cannot be read any more
	queued     int64 // bytes of all messages that were appended to out
	written    int64 // bytes of them that were written
	beforeData int64 // the value of written before the last data message
	unread     int64 // bytes in the pipe that the worker has not read
}

// pendingCall is a call from its message to the last message about it.
type pendingCall struct {
	answered  chan wire.Answer // has room for the answer
	size      int              // the size of its input, for Config.Released
	offset    int64            // Conn.queued after its message
	request   *request         // the streams of its request, nil if there are none
	result    *result          // its result if it is a stream, otherwise nil
	detached  bool             // RoundTrip has returned before the end
	abandoned bool             // its caller does not wait for it any more
	deadline  time.Time        // when an abandoned call must have ended; zero for never
	cancelled bool             // CancelAll has cancelled it while its caller waits
}

// New returns a conversation. The functions of the Config may be set until the loops run.
func New(config Config) *Conn {
	c := &Conn{Config: config, pending: make(map[uint64]*pendingCall)}
	c.wake.L = &c.mu
	return c
}

// RoundTrip sends a message and waits for its answer. AppendTo appends the message with its id to
// dst. Call has the streams of the request; it is nil if there are none. The error is ErrNotReceived
// if the worker has not read the message. Pending reports that the call has not ended in the worker,
// because ctx is done or because the result is a stream. The answer then has the id, and Released is
// called when the call ends.
func (c *Conn) RoundTrip(ctx context.Context, size int, call *protocol.Call, appendTo func(dst []byte, id uint64) []byte) (a wire.Answer, pending bool) {
	p, ok := c.idle.Get().(*pendingCall)
	if !ok {
		p = &pendingCall{answered: make(chan wire.Answer, 1)}
	}
	id := c.begin(ctx, p, size, call, appendTo)
	if id == 0 {
		return wire.Answer{Err: ErrNotReceived}, false
	}
	select {
	case a = <-p.answered:
	case <-ctx.Done():
		if c.abandon(id, p) {
			p.request.close(true)
			return wire.Answer{ID: id, Err: ctx.Err()}, true
		}
		a = <-p.answered // it was on its way
	}
	if a.Stream != nil {
		p.result.cancelWith(ctx)
		return a, true
	}
	p.request.close(false)
	p.request, p.cancelled = nil, false
	c.idle.Put(p)
	return a, false
}

// begin sends the message of a call and returns its id, 0 if no more calls are sent.
func (c *Conn) begin(ctx context.Context, p *pendingCall, size int, call *protocol.Call, appendTo func(dst []byte, id uint64) []byte) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining || c.closed {
		return 0
	}
	c.lastID++
	c.pending[c.lastID] = p
	p.size, p.request = size, newRequest(ctx, c, c.lastID, call)
	before := len(c.out)
	c.out = appendTo(c.out, c.lastID)
	c.queued += int64(len(c.out) - before)
	p.offset = c.queued
	if len(c.pending) == 1 && !c.writing { // the worker is idle: waking the writer would take longer
		n := pipe.TryWrite(c.Requests, c.out)
		c.written += int64(n)
		c.out = c.out[:copy(c.out, c.out[n:])]
	}
	if len(c.out) > 0 {
		c.wake.Signal()
	}
	return c.lastID
}

// abandon stops waiting for an answer, and cancels the call on the framed wire. It reports false if
// the answer is being delivered.
func (c *Conn) abandon(id uint64, p *pendingCall) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending[id] != p || p.detached {
		return false
	}
	p.detached, p.abandoned = true, true
	if !c.Plain {
		c.send(wire.AppendCancel(c.out, id))
	}
	return true
}

// send queues messages for the writer: out is c.out with one more message. The lock is held.
func (c *Conn) send(out []byte) {
	if c.closed {
		return
	}
	c.queued += int64(len(out) - len(c.out))
	c.out = out
	c.wake.Signal()
}

// deliver passes an answer to the RoundTrip that waits for it.
func (c *Conn) deliver(a wire.Answer) {
	c.mu.Lock()
	p := c.pending[a.ID]
	switch {
	case p == nil, p.result != nil: // a second answer, or one without a call
		c.mu.Unlock()
		c.Log.Debug("ipc: answer to a call that is not pending", "id", a.ID)
		return
	case a.Stream != nil && p.detached: // the cancellation is on its way: the stream will end
		c.mu.Unlock()
		return
	case a.Stream != nil:
		p.result, p.detached = newResult(c, a.ID, p), true
		a.Stream.Body = p.result
	default:
		delete(c.pending, a.ID)
	}
	released := p.detached && a.Stream == nil
	if p.cancelled {
		a = drainTimeout(a)
	}
	c.mu.Unlock()
	if released {
		c.Released(p.size, p.abandoned)
		return
	}
	p.answered <- a
}

// drainTimeout returns the answer to a call that CancelAll has cancelled. The worker says that the
// call was aborted, but the caller has not aborted it.
func drainTimeout(a wire.Answer) wire.Answer {
	var e *protocol.Error
	if errors.As(a.Err, &e) && e.Code == protocol.CodeRequestAborted {
		a.Err = errDrainTimeout
	}
	return a
}

// Fail ends all pending calls, when the loops have ended: the calls that the worker has received
// with err, the others with ErrNotReceived.
func (c *Conn) Fail(err error) {
	c.mu.Lock()
	pending, received := c.pending, c.received()
	c.pending = nil
	for _, p := range pending {
		if p.result != nil {
			p.result.end(err)
		}
	}
	c.mu.Unlock()
	for _, p := range pending {
		switch {
		case p.detached:
			c.Released(p.size, p.abandoned)
		case p.offset > received:
			p.answered <- wire.Answer{Err: ErrNotReceived}
		default:
			p.answered <- wire.Answer{Err: err}
		}
	}
}

// received returns how many of the queued bytes a worker had read before it ended. If that is not
// known, all written bytes count as read.
func (c *Conn) received() int64 {
	if c.unread <= c.written-c.beforeData {
		return c.written - c.unread
	}
	return c.beforeData // data messages are among the unread bytes
}

// Drain sends no more calls to the worker.
func (c *Conn) Drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
}

// CloseWrite sends no more messages, and closes the worker's input when the queued ones are written.
// Ended says that the worker has ended.
func (c *Conn) CloseWrite(ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unreadable = c.unreadable || ended
	c.closed = true
	c.wake.Signal()
}

// Ping sends a ping to a worker on the framed wire, which should answer with a pong. The ping waits
// behind messages that the worker has not read.
func (c *Conn) Ping() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.send(wire.AppendPing(c.out))
}

// SetDeadline sets when the worker must have answered an abandoned call that is still pending.
func (c *Conn) SetDeadline(id uint64, deadline time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.pending[id]; p != nil {
		p.deadline = deadline
	}
}

// Overdue reports whether a pending call has passed its deadline, and the next deadline, zero if
// there is none.
func (c *Conn) Overdue(now time.Time) (overdue bool, next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.pending {
		switch {
		case p.deadline.IsZero():
		case !now.Before(p.deadline):
			overdue = true
		case next.IsZero() || p.deadline.Before(next):
			next = p.deadline
		}
	}
	return overdue, next
}

// CancelAll cancels all pending calls on the framed wire.
func (c *Conn) CancelAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, p := range c.pending {
		if !p.abandoned && !p.cancelled {
			p.cancelled = true
			c.send(wire.AppendCancel(c.out, id))
		}
	}
}
