package ipc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/pipe"
	"github.com/bluelibs/go-tunnel/ipc/internal/proc"
	"github.com/bluelibs/go-tunnel/ipc/internal/text"
	"github.com/bluelibs/go-tunnel/protocol"
)

// errInputClosed says that a worker reads no more calls.
var errInputClosed = errors.New("ipc: the worker has closed its input")

// errDrainOver ends what a worker still has when its time to drain is over.
var errDrainOver = &protocol.Error{Code: protocol.CodeWorkerCrashed, Err: fmt.Errorf("%w: the time that it had to drain is over", errEnded)}

// errGone says that a worker took no part of a call, so that another one may.
var errGone = errors.New("ipc: worker is gone")

// link is the conversation with one worker over its two pipes, on either wire: what
// was asked, and who waits for which answer.
type link struct {
	calls, answers *os.File
	plain          bool
	maxMessage     int
	grace          time.Duration // for a stream that nobody reads to end
	log            *slog.Logger
	hello          func(*control)               // takes a hello, on the framed wire
	noise          func(line []byte, cut int64) // takes what is no answer, on the plain wire
	pong           func()                       // takes the answer to a ping
	drained        func()                       // takes that the worker wants no more calls
	leave          func(due time.Time)          // takes that nobody waits for a result that is a stream, which is to end until then
	release        func(size int, left bool)    // takes back the place of a call that ask has left to the link; left: nobody waited

	idle    sync.Pool // of *exchange that are not in pending
	buffers sync.Pool // of *[headRoom + maxFrame]byte

	mu      sync.Mutex
	wake    sync.Cond            // there is something to write, or closed is set
	out     []byte               // messages that wait for the writer
	frames  []*outflow           // whose next data message waits for it, in the order of their turns
	writing bool                 // the writer has taken some and not yet sent them
	lastID  uint64               // ids are not used again
	pending map[uint64]*exchange // what the worker has not ended; nil when it is gone
	refuses bool                 // takes no more calls
	closed  bool                 // no more messages; the writer ends the input
	broken  bool                 // a write has failed
	lent    int                  // the windows of all results together, in bytes

	// What the worker has taken of what was sent, for when it is gone.
	dead     bool  // nobody can read any more
	asked    int64 // bytes of messages ever put into out
	sent     int64 // of them, those that were written
	sentData int64 // sent, at the time of the last data message
	unread   int64 // bytes that it left in the pipe
}

// exchange is a call on a link, from its message to the last one about it.
type exchange struct {
	answered chan answer // has room for the answer
	size     int         // for link.release
	asked    int64       // link.asked after its message
	upload   *upload     // the streams of its request, nil if there are none
	result   *inflow     // its result, if that is a stream
	away     bool        // ask has returned before the end
	left     bool        // nobody waits for it any more
	due      time.Time   // when it must have ended then; zero if it need not
	cut      bool        // it was cancelled though somebody waits for it
}

func newLink(p *proc.Process, opts *Options, log *slog.Logger) *link {
	l := &link{
		calls:      p.In,
		answers:    p.Out,
		plain:      opts.Plain,
		maxMessage: opts.MaxMessage,
		grace:      opts.CancelGrace,
		log:        log,
		pending:    make(map[uint64]*exchange),
	}
	l.wake.L = &l.mu
	return l
}

// ask sends a message and waits for its answer. AppendTo appends the message for the id
// that it gets; the streams of the request are those of call, which is nil if there are
// none. The error is errGone if the worker has seen nothing of it. Pending reports that
// the worker is not done with it, because ctx was, or because the result is a stream:
// release is called when it is. The answer has the id then.
func (l *link) ask(ctx context.Context, size int, call *protocol.Call, appendTo func(dst []byte, id uint64) []byte) (a answer, pending bool) {
	x, ok := l.idle.Get().(*exchange)
	if !ok {
		x = &exchange{answered: make(chan answer, 1)}
	}
	l.mu.Lock()
	if l.refuses || l.closed {
		l.mu.Unlock()
		return answer{err: errGone}, false
	}
	l.lastID++
	id := l.lastID
	l.pending[id] = x
	x.size, x.upload = size, newUpload(ctx, l, id, call)
	before := len(l.out)
	l.out = appendTo(l.out, id)
	l.asked += int64(len(l.out) - before)
	x.asked = l.asked
	if len(l.pending) == 1 && !l.writing { // an idle worker: to wake the writer would take longer
		n := pipe.TryWrite(l.calls, l.out)
		l.sent += int64(n)
		l.out = l.out[:copy(l.out, l.out[n:])]
	}
	if len(l.out) > 0 {
		l.wake.Signal()
	}
	l.mu.Unlock()

	select {
	case a = <-x.answered:
	case <-ctx.Done():
		if l.abandon(id, x) {
			x.upload.end(true)
			return answer{id: id, err: ctx.Err()}, true
		}
		a = <-x.answered // it was on its way
	}
	if a.stream != nil {
		x.result.watch(ctx)
		return a, true
	}
	x.upload.end(false)
	x.upload, x.cut = nil, false
	l.idle.Put(x)
	return a, false
}

// abandon gives up waiting for an answer, and tells a framed worker so. It reports false
// if the answer is being delivered.
func (l *link) abandon(id uint64, x *exchange) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending[id] != x || x.away {
		return false
	}
	x.away, x.left = true, true
	if !l.plain {
		l.say(appendFramedCancel(l.out, id))
	}
	return true
}

// say takes out with one more message in it. The lock is held.
func (l *link) say(out []byte) {
	if l.closed {
		return
	}
	l.asked += int64(len(out) - len(l.out))
	l.out = out
	l.wake.Signal()
}

// deliver takes an answer to who waits for it.
func (l *link) deliver(a answer) {
	l.mu.Lock()
	x := l.pending[a.id]
	switch {
	case x == nil, x.result != nil: // the second answer, or made up
		l.mu.Unlock()
		l.log.Debug("ipc: answer to a call that is not pending", "id", a.id)
		return
	case a.stream != nil && x.away: // cancelled on its way: it will end
		l.mu.Unlock()
		return
	case a.stream != nil:
		x.result, x.away = newInflow(l, a.id, x), true
		a.stream.body = x.result
	default:
		delete(l.pending, a.id)
	}
	left := x.away && a.stream == nil
	if x.cut {
		a = a.ofCut()
	}
	l.mu.Unlock()
	if left {
		l.release(x.size, x.left)
		return
	}
	x.answered <- a
}

// ofCut returns the answer to a call that was cancelled though its caller waits. That it was
// aborted is not what the caller has done.
func (a answer) ofCut() answer {
	var e *protocol.Error
	if errors.As(a.err, &e) && e.Code == protocol.CodeRequestAborted {
		a.err = errDrainOver
	}
	return a
}

// fail ends all that is pending. Err is for what the worker had; errGone is said of what
// it never read.
func (l *link) fail(err error) {
	l.mu.Lock()
	pending, taken := l.pending, l.taken()
	l.pending = nil
	for _, x := range pending {
		if x.result != nil {
			x.result.end(err)
		}
	}
	l.mu.Unlock()
	for _, x := range pending {
		switch {
		case x.away:
			l.release(x.size, x.left)
		case x.asked > taken:
			x.answered <- answer{err: errGone}
		default:
			x.answered <- answer{err: err}
		}
	}
}

// taken returns how much of what was asked a worker that is gone has read. Where that
// cannot be known it is all that was sent.
func (l *link) taken() int64 {
	if l.unread <= l.sent-l.sentData {
		return l.sent - l.unread
	}
	return l.sentData // data messages are in what it has left
}

// maxSpare is the largest message buffer that is kept when it was written.
const maxSpare = 1 << 20

// write sends what has gathered with one system call at a time, data messages one by
// one after all others, and ends the worker's input at the end. The error says that the
// worker has ended it first.
func (l *link) write() error {
	var spare []byte
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.hangUp()
	for {
		for l.writing || len(l.out) == 0 && len(l.frames) == 0 && !l.closed && !l.broken {
			l.wake.Wait() // another one may be writing data
		}
		if l.broken { // as that one has found
			return errInputClosed
		}
		l.writing = true
		if len(l.frames) == 0 {
			l.mu.Unlock()
			runtime.Gosched() // callers who are about to say something get into the same batch
			l.mu.Lock()
		}
		batch := l.out
		if len(batch) > 0 {
			l.out = spare[:0]
			l.mu.Unlock()
			n, err := l.calls.Write(batch)
			l.mu.Lock()
			l.sent += int64(n)
			if spare = batch; cap(spare) > maxSpare {
				spare = nil
			}
			l.failed(err)
			if err != nil {
				return err
			}
		}
		if len(l.frames) > 0 {
			flow := l.frames[0]
			l.frames = append(l.frames[:0], l.frames[1:]...)
			err := l.writeData(flow.ready)
			flow.written()
			if err != nil {
				return err
			}
		} else if len(batch) == 0 { // closed
			return nil
		}
		l.writing = false
	}
}

// writeData writes a data message. The lock is held, except while it writes.
func (l *link) writeData(message []byte) error {
	l.sentData = l.sent
	l.mu.Unlock()
	_, err := l.calls.Write(message)
	l.mu.Lock()
	l.failed(err)
	return err
}

// failed takes the error of a write, if there is one. The lock is held.
func (l *link) failed(err error) {
	l.broken = l.broken || err != nil
	l.dead = l.dead || errors.Is(err, syscall.EPIPE)
}

// hangUp ends the worker's input. The lock is held.
func (l *link) hangUp() {
	l.closed = true
	l.writing = false
	if l.dead {
		l.unread = pipe.Unread(l.calls)
	}
	_ = l.calls.Close()
	for _, flow := range l.frames {
		flow.written()
	}
	l.frames = nil
}

// refuse lets the worker have no more calls.
func (l *link) refuse() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuses = true
}

// end lets the worker take no more calls and closes its input when all was sent. Dead
// says that it has ended already.
func (l *link) end(dead bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = l.dead || dead
	l.closed = true
	l.wake.Signal()
}

// read reads the worker's answers to their end. The error is io.EOF, that of the pipe,
// or says how the worker broke the wire.
func (l *link) read() error {
	lines := text.NewLineReader(l.answers, l.maxMessage)
	if l.plain {
		return l.readPlain(lines)
	}
	return l.readFramed(lines)
}

// readPlain reads answers among whatever else is printed.
func (l *link) readPlain(lines *text.LineReader) error {
	for {
		line, cut, err := lines.Next()
		if err != nil {
			return err
		}
		a, ok := parseAnswer(line)
		if !ok && !lines.Unterminated() { // half a line is what a dying worker leaves
			a, ok = brokenAnswer(line, cut)
		}
		if !ok {
			l.noise(line, cut)
			continue
		}
		a.stream = nil // not on this wire
		l.deliver(a)
	}
}

// readFramed reads messages, the first of which must be hello. It returns an error
// that is not the pipe's for what cannot be one.
func (l *link) readFramed(lines *text.LineReader) error {
	said := false
	for {
		line, cut, err := lines.Next()
		if err != nil {
			return err
		}
		if lines.Unterminated() { // cut off by the worker's end
			continue
		}
		a, ok := parseAnswer(line)
		if !ok {
			a, ok = brokenAnswer(line, cut)
		}
		if ok && said {
			if a.n > 0 {
				if a, err = readPayload(lines, a, l.maxMessage); err != nil {
					return err
				}
			}
			l.deliver(a)
			continue
		}
		message, err := parseControl(line)
		if err != nil {
			return err
		}
		if !said && message.Type != "hello" {
			return fmt.Errorf("its first message is %q, not hello", message.Type)
		}
		switch message.Type {
		case "hello":
			if message.Wire != wireVersion {
				return fmt.Errorf("it speaks version %d of the wire, not %d", message.Wire, wireVersion)
			}
			said = true
			l.hello(message)
		case "data":
			err = l.takeData(message, lines)
		case "end":
			l.endResult(message)
		case "window":
			err = l.grantFlow(message)
		case "stop":
			err = l.stopFlow(message)
		case "pong":
			l.pong()
		case "draining":
			l.drained()
		case "log":
			l.log.Log(context.Background(), logLevel(message.Level), "ipc: worker message", "message", message.Message)
		}
		// Types that are not known are those of a later version.
		if err != nil {
			return err
		}
	}
}

func logLevel(name string) (level slog.Level) {
	if level.UnmarshalText([]byte(strings.ToUpper(name))) != nil {
		return slog.LevelInfo
	}
	return level
}
