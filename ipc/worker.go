package ipc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// errGone says that a worker took no part of a call, so that another one may.
var errGone = errors.New("ipc: worker is gone")

// worker is one process that takes calls.
type worker struct {
	proc *process
	opts *Options
	log  *slog.Logger

	// The pool's, under its lock.
	inFlight, bytes int
	ready           bool // may get calls
	gone            bool // takes no more calls

	idle sync.Pool // of chan answer, empty and not in pending

	mu      sync.Mutex
	wake    sync.Cond                // out has grown, or closed is set
	out     []byte                   // messages that wait for the writer
	writing bool                     // the writer has taken some and not yet sent them
	lastID  uint64                   // ids are not used again
	pending map[uint64]chan<- answer // who waits for an answer; nil when the worker is gone
	closed  bool                     // no more messages; the writer ends the input
	reason  error                    // why the worker was killed, if it was for breaking the wire
}

func startWorker(opts *Options, slot int) (*worker, error) {
	proc, err := startProcess(opts)
	if err != nil {
		return nil, err
	}
	w := &worker{
		proc:    proc,
		opts:    opts,
		log:     opts.Logger.With("worker", slot, "pid", proc.pid()),
		pending: make(map[uint64]chan<- answer),
	}
	w.wake.L = &w.mu
	return w, nil
}

// run serves the worker's pipes until the process has ended and its output was read
// to the end, fails the calls without an answer, and returns how the process ended.
// It calls ready once, from any goroutine, when the worker can take calls: at once on
// the plain wire, after its hello on the framed one.
func (w *worker) run(ready func(hello *control)) error {
	var pipes sync.WaitGroup
	pipes.Go(w.write)
	if w.opts.Plain {
		ready(nil)
		pipes.Go(func() { w.read(w.readPlain) })
	} else {
		late := time.AfterFunc(w.opts.StartTimeout, func() {
			w.violate(fmt.Errorf("it said no hello within %v", w.opts.StartTimeout))
		})
		defer late.Stop()
		pipes.Go(func() {
			w.read(func(lines *lineReader) error {
				return w.readFramed(lines, func(hello *control) {
					late.Stop()
					ready(hello)
				})
			})
		})
	}
	for stream, pipe := range w.proc.outputs {
		pipes.Go(func() { w.logLines(stream, pipe) })
	}
	if w.proc.script != nil {
		pipes.Go(func() {
			_, _ = w.proc.script.Write(w.opts.script)
			_ = w.proc.script.Close()
		})
	}
	w.proc.await()
	w.end()
	pipes.Wait()
	ended := fmt.Errorf("ipc: worker ended: %s", w.proc.reap())
	w.mu.Lock()
	if w.reason != nil {
		ended = fmt.Errorf("ipc: worker broke the wire: %w", w.reason)
	}
	w.mu.Unlock()
	w.fail(&protocol.Error{Code: protocol.CodeWorkerCrashed, Err: ended})
	return ended
}

// ask sends a message and waits for its answer. Append appends the message for the id
// that it gets. The error is errGone if the worker took nothing of it.
func (w *worker) ask(ctx context.Context, appendTo func(dst []byte, id uint64) []byte) (value []byte, err error) {
	answered, ok := w.idle.Get().(chan answer)
	if !ok {
		answered = make(chan answer, 1)
	}
	defer w.idle.Put(answered)
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil, errGone
	}
	w.lastID++
	id := w.lastID
	w.pending[id] = answered
	w.out = appendTo(w.out, id)
	if len(w.pending) == 1 && !w.writing { // an idle worker: to wake the writer would take longer
		w.out = w.out[:copy(w.out, w.out[w.proc.tryWrite(w.out):])]
	}
	if len(w.out) > 0 {
		w.wake.Signal()
	}
	w.mu.Unlock()

	var a answer
	select {
	case a = <-answered:
	case <-ctx.Done():
		if w.forget(id) {
			return nil, ctx.Err()
		}
		a = <-answered // it was on its way
	}
	return a.value, a.err
}

// forget gives up waiting for an answer, and tells a framed worker so. It reports
// false if the answer is being delivered.
func (w *worker) forget(id uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, waiting := w.pending[id]; !waiting {
		return false
	}
	delete(w.pending, id)
	if !w.opts.Plain && !w.closed {
		w.out = appendFramedCancel(w.out, id)
		w.wake.Signal()
	}
	return true
}

// deliver gives an answer to who waits for it.
func (w *worker) deliver(a answer) {
	w.mu.Lock()
	answered, waiting := w.pending[a.id]
	delete(w.pending, a.id)
	w.mu.Unlock()
	if !waiting { // its caller has left, or it is the second answer, or made up
		w.log.Debug("ipc: answer to a call that is not pending", "id", a.id)
		return
	}
	answered <- a
}

// fail answers all pending calls with err.
func (w *worker) fail(err error) {
	w.mu.Lock()
	pending := w.pending
	w.pending = nil
	w.mu.Unlock()
	for _, answered := range pending {
		answered <- answer{err: err}
	}
}

// maxSpare is the largest message buffer that is kept when it was written.
const maxSpare = 1 << 20

// write sends what has gathered with one system call at a time, and ends the
// worker's input at the end.
func (w *worker) write() {
	defer w.proc.calls.Close()
	var spare []byte
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for len(w.out) == 0 && !w.closed {
			w.wake.Wait()
		}
		w.writing = true
		w.mu.Unlock()
		runtime.Gosched() // callers who are about to say something get into the same batch
		w.mu.Lock()
		batch := w.out
		if len(batch) == 0 {
			return
		}
		w.out = spare[:0]
		w.mu.Unlock()
		_, err := w.proc.calls.Write(batch)
		w.mu.Lock()
		w.writing = false
		if err != nil {
			w.closed = true // the process is ending too; its calls fail when it has
			return
		}
		if spare = batch; cap(spare) > maxSpare {
			spare = nil
		}
	}
}

// end lets the worker take no more calls and closes its input when all was sent.
func (w *worker) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.wake.Signal()
}

// violate ends a worker that does not keep to the wire.
func (w *worker) violate(reason error) {
	w.mu.Lock()
	if w.reason == nil {
		w.reason = reason
	}
	w.mu.Unlock()
	w.end()
	w.kill()
}

// read reads the worker's answers to their end.
func (w *worker) read(answers func(*lineReader) error) {
	err := answers(newLineReader(w.proc.answers, w.opts.MaxMessage))
	if err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) {
		w.violate(err)
		return
	}
	// Without its output it is of no use. An ending process gets the time to end.
	w.end()
	time.AfterFunc(drainTime, w.kill)
}

// readPlain reads answers among whatever else is printed.
func (w *worker) readPlain(lines *lineReader) error {
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
			w.logOutput("stdout", line, cut)
			continue
		}
		w.deliver(a)
	}
}

// readFramed reads messages, the first of which must be hello. It returns an error
// that is not the pipe's for what cannot be one.
func (w *worker) readFramed(lines *lineReader, hello func(*control)) error {
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
				if a, err = lines.payload(a, w.opts.MaxMessage); err != nil {
					return err
				}
			}
			w.deliver(a)
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
			hello(message)
		case !said:
			return fmt.Errorf("its first message is %q, not hello", message.Type)
		case message.Type == "log":
			w.log.Log(context.Background(), logLevel(message.Level), "ipc: worker message", "message", message.Message)
		}
		// Types that are not known are those of a later version, and pong.
	}
}

func logLevel(name string) (level slog.Level) {
	if level.UnmarshalText([]byte(strings.ToUpper(name))) != nil {
		return slog.LevelInfo
	}
	return level
}

// logLines logs one of the worker's outputs.
func (w *worker) logLines(stream string, pipe io.Reader) {
	lines := newLineReader(pipe, maxLogged)
	for {
		line, cut, err := lines.next()
		if err != nil {
			return
		}
		w.logOutput(stream, line, cut)
	}
}

// maxLogged is how much of a line of output is logged, in bytes.
const maxLogged = 8 << 10

func (w *worker) logOutput(stream string, line []byte, cut int64) {
	if len(line) > maxLogged {
		cut += int64(len(line) - maxLogged)
		line = line[:maxLogged]
	}
	attrs := []any{"stream", stream, "line", string(validUTF8(line))}
	if cut > 0 {
		attrs = append(attrs, "cutBytes", cut)
	}
	w.log.Info("ipc: worker output", attrs...)
}

// stop ends the worker: at once by the end of its input, then with more and more
// force. It returns before the worker has ended.
func (w *worker) stop() {
	w.end()
	time.AfterFunc(w.opts.StopTimeout/2, func() { w.proc.signal(terminate) })
	time.AfterFunc(w.opts.StopTimeout, w.kill)
}

func (w *worker) kill() { w.proc.signal(kill) }
