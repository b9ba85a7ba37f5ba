package ipc

import (
	"context"
	"errors"
	"log/slog"
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
	gone            bool // takes no more calls

	mu      sync.Mutex
	wake    sync.Cond                // out has grown, or closed is set
	out     []byte                   // messages that wait for the writer
	lastID  uint64                   // ids are not used again
	pending map[uint64]chan<- answer // who waits for an answer; nil when the worker is gone
	closed  bool                     // no more messages; the writer ends the input
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
func (w *worker) run() (state string) {
	var pipes sync.WaitGroup
	pipes.Go(w.write)
	pipes.Go(w.readAnswers)
	pipes.Go(w.readErrors)
	w.proc.await()
	w.end()
	pipes.Wait()
	state = w.proc.reap()
	w.fail(&protocol.Error{Code: protocol.CodeWorkerCrashed, Err: errors.New("ipc: worker ended: " + state)})
	return state
}

// call sends a call and waits for its answer. The error is errGone if the worker
// took nothing of it.
func (w *worker) call(ctx context.Context, call *protocol.Call) (*protocol.Reply, error) {
	answered := make(chan answer, 1)
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil, errGone
	}
	w.lastID++
	id := w.lastID
	w.pending[id] = answered
	w.out = appendMessage(w.out, id, call)
	w.wake.Signal()
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
	if a.err != nil {
		return nil, a.err
	}
	if a.value == nil && call.Kind == protocol.KindEvent {
		a.value = call.Payload
	}
	return &protocol.Reply{Value: a.value}, nil
}

// forget gives up waiting for an answer. It reports false if that is being delivered.
func (w *worker) forget(id uint64) bool {
	_, waiting := w.take(id)
	return waiting
}

// take removes a call from the pending ones. Whoever has taken it answers it.
func (w *worker) take(id uint64) (answered chan<- answer, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	answered, ok = w.pending[id]
	delete(w.pending, id)
	return answered, ok
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

// write is the only writer of the worker's input: it sends all that has gathered
// with one system call, and ends the input at the end.
func (w *worker) write() {
	defer w.proc.stdin.Close()
	var spare []byte
	for {
		w.mu.Lock()
		for len(w.out) == 0 && !w.closed {
			w.wake.Wait()
		}
		if len(w.out) == 0 {
			w.mu.Unlock()
			return
		}
		batch := w.out
		w.out = spare[:0]
		w.mu.Unlock()
		if _, err := w.proc.stdin.Write(batch); err != nil {
			w.end() // the process is ending too; its calls fail when it has
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

// readAnswers reads the standard output to its end.
func (w *worker) readAnswers() {
	lines := newLineReader(w.proc.stdout, w.opts.MaxMessage)
	for {
		line, cut, err := lines.next()
		if err != nil {
			break
		}
		a, ok := parseAnswer(line)
		if !ok && !lines.open { // half a line is what a dying worker leaves
			a, ok = brokenAnswer(line, cut)
		}
		if !ok {
			w.logOutput("stdout", line, cut)
			continue
		}
		answered, waiting := w.take(a.id)
		if !waiting { // its caller has left, or it is the second answer, or made up
			w.log.Debug("ipc: answer to a call that is not pending", "id", a.id)
			continue
		}
		answered <- a
	}
	// Without its output it is of no use. An ending process gets the time to end.
	w.end()
	time.AfterFunc(drainTime, w.kill)
}

// readErrors logs the standard error.
func (w *worker) readErrors() {
	lines := newLineReader(w.proc.stderr, maxLogged)
	for {
		line, cut, err := lines.next()
		if err != nil {
			return
		}
		w.logOutput("stderr", line, cut)
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
