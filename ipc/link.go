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
)

// errGone says that a worker took no part of a call, so that another one may.
var errGone = errors.New("ipc: worker is gone")

// link is the conversation with one worker over its two pipes, on either wire: what
// was asked, and who waits for which answer.
type link struct {
	calls, answers *os.File
	plain          bool
	maxMessage     int
	log            *slog.Logger
	hello          func(*control)               // takes a hello, on the framed wire
	noise          func(line []byte, cut int64) // takes what is no answer, on the plain wire
	pong           func()                       // takes the answer to a ping
	release        func(size int, left bool)    // takes back the place of a call that ask has left to the link

	idle sync.Pool // of *exchange that are not in pending

	mu      sync.Mutex
	wake    sync.Cond            // out has grown, or closed is set
	out     []byte               // messages that wait for the writer
	writing bool                 // the writer has taken some and not yet sent them
	lastID  uint64               // ids are not used again
	pending map[uint64]*exchange // what the worker has not answered; nil when it is gone
	closed  bool                 // no more messages; the writer ends the input
}

// exchange is a call on a link, from its message to its answer.
type exchange struct {
	answered chan answer // has room for the answer
	size     int         // for link.release
	left     bool        // its caller has given up
}

func newLink(proc *process, opts *Options, log *slog.Logger) *link {
	l := &link{
		calls:      proc.calls,
		answers:    proc.answers,
		plain:      opts.Plain,
		maxMessage: opts.MaxMessage,
		log:        log,
		pending:    make(map[uint64]*exchange),
	}
	l.wake.L = &l.mu
	return l
}

// ask sends a message and waits for its answer. AppendTo appends the message for the id
// that it gets. The error is errGone if the worker took nothing of it. Pending reports
// that the worker is not done with it, because ctx was: release is called when it is.
// The answer has the id then.
func (l *link) ask(ctx context.Context, size int, appendTo func(dst []byte, id uint64) []byte) (a answer, pending bool) {
	x, ok := l.idle.Get().(*exchange)
	if !ok {
		x = &exchange{answered: make(chan answer, 1)}
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return answer{err: errGone}, false
	}
	l.lastID++
	id := l.lastID
	l.pending[id] = x
	x.size = size
	l.out = appendTo(l.out, id)
	if len(l.pending) == 1 && !l.writing { // an idle worker: to wake the writer would take longer
		l.out = l.out[:copy(l.out, l.out[tryWrite(l.calls, l.out):])]
	}
	if len(l.out) > 0 {
		l.wake.Signal()
	}
	l.mu.Unlock()

	select {
	case a = <-x.answered:
	case <-ctx.Done():
		if l.leave(id, x) {
			return answer{id: id, err: ctx.Err()}, true
		}
		a = <-x.answered // it was on its way
	}
	l.idle.Put(x)
	return a, false
}

// leave gives up waiting for an answer, and tells a framed worker so. It reports false
// if the answer is being delivered.
func (l *link) leave(id uint64, x *exchange) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending[id] != x {
		return false
	}
	x.left = true
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
	l.out = out
	l.wake.Signal()
}

// deliver gives an answer to who waits for it.
func (l *link) deliver(a answer) {
	l.mu.Lock()
	x := l.pending[a.id]
	delete(l.pending, a.id)
	l.mu.Unlock()
	switch {
	case x == nil: // the second answer, or made up
		l.log.Debug("ipc: answer to a call that is not pending", "id", a.id)
	case x.left:
		l.release(x.size, true)
	default:
		x.answered <- a
	}
}

// fail answers all pending calls with err.
func (l *link) fail(err error) {
	l.mu.Lock()
	pending := l.pending
	l.pending = nil
	l.mu.Unlock()
	for _, x := range pending {
		if x.left {
			l.release(x.size, true)
		} else {
			x.answered <- answer{err: err}
		}
	}
}

// maxSpare is the largest message buffer that is kept when it was written.
const maxSpare = 1 << 20

// write sends what has gathered with one system call at a time, and ends the
// worker's input at the end.
func (l *link) write() {
	defer l.calls.Close()
	var spare []byte
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for len(l.out) == 0 && !l.closed {
			l.wake.Wait()
		}
		l.writing = true
		l.mu.Unlock()
		runtime.Gosched() // callers who are about to say something get into the same batch
		l.mu.Lock()
		batch := l.out
		if len(batch) == 0 {
			return
		}
		l.out = spare[:0]
		l.mu.Unlock()
		_, err := l.calls.Write(batch)
		l.mu.Lock()
		l.writing = false
		if err != nil {
			l.closed = true // the process is ending too; its calls fail when it has
			return
		}
		if spare = batch; cap(spare) > maxSpare {
			spare = nil
		}
	}
}

// end lets the worker take no more calls and closes its input when all was sent.
func (l *link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.wake.Signal()
}

// read reads the worker's answers to their end. The error is io.EOF, that of the pipe,
// or says how the worker broke the wire.
func (l *link) read() error {
	lines := newLineReader(l.answers, l.maxMessage)
	if l.plain {
		return l.readPlain(lines)
	}
	return l.readFramed(lines)
}

// readPlain reads answers among whatever else is printed.
func (l *link) readPlain(lines *lineReader) error {
	for {
		line, cut, err := lines.next()
		if err != nil {
			return err
		}
		a, ok := parseAnswer(line)
		if !ok && !lines.open { // half a line is what a dying worker leaves
			a, ok = brokenAnswer(line, cut)
		}
		if !ok {
			l.noise(line, cut)
			continue
		}
		l.deliver(a)
	}
}

// readFramed reads messages, the first of which must be hello. It returns an error
// that is not the pipe's for what cannot be one.
func (l *link) readFramed(lines *lineReader) error {
	said := false
	for {
		line, cut, err := lines.next()
		if err != nil {
			return err
		}
		if lines.open { // cut off by the worker's end
			continue
		}
		a, ok := parseAnswer(line)
		if !ok && cut > 0 {
			a, ok = brokenAnswer(line, cut)
		}
		if ok && said {
			if a.n > 0 {
				if a, err = lines.payload(a, l.maxMessage); err != nil {
					return err
				}
			}
			l.deliver(a)
			continue
		}
		message, err := parseControl(line)
		switch {
		case err != nil:
			return err
		case message.Type == "hello":
			if message.Wire != wireVersion {
				return fmt.Errorf("it speaks version %d of the wire, not %d", message.Wire, wireVersion)
			}
			said = true
			l.hello(message)
		case !said:
			return fmt.Errorf("its first message is %q, not hello", message.Type)
		case message.Type == "pong":
			l.pong()
		case message.Type == "log":
			l.log.Log(context.Background(), logLevel(message.Level), "ipc: worker message", "message", message.Message)
		}
		// Types that are not known are those of a later version.
	}
}

func logLevel(name string) (level slog.Level) {
	if level.UnmarshalText([]byte(strings.ToUpper(name))) != nil {
		return slog.LevelInfo
	}
	return level
}
