package ipc

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// worker is one process that takes calls: the process, its log, and the link that the
// calls go over.
type worker struct {
	*link
	proc *process
	opts *Options
	log  *slog.Logger

	// The pool's, under its lock.
	inFlight, bytes int
	ready           bool // may get calls
	gone            bool // takes no more calls

	blame  sync.Mutex
	reason error // why the worker was killed, if it was for breaking the wire
}

func startWorker(opts *Options, slot int) (*worker, error) {
	proc, err := startProcess(opts)
	if err != nil {
		return nil, err
	}
	log := opts.Logger.With("worker", slot, "pid", proc.pid())
	return &worker{link: newLink(proc, opts, log), proc: proc, opts: opts, log: log}, nil
}

// run serves the worker's pipes until the process has ended and its output was read
// to the end, fails the calls without an answer, and returns how the process ended.
// It calls ready once, from any goroutine, when the worker can take calls: at once on
// the plain wire, after its hello on the framed one.
func (w *worker) run(ready func(hello *control)) error {
	var pipes sync.WaitGroup
	pipes.Go(w.write)
	if w.opts.Plain {
		w.noise = func(line []byte, cut int64) { w.logOutput("stdout", line, cut) }
		ready(nil)
	} else {
		late := time.AfterFunc(w.opts.StartTimeout, func() {
			w.violate(fmt.Errorf("it said no hello within %v", w.opts.StartTimeout))
		})
		defer late.Stop()
		w.hello = func(hello *control) {
			late.Stop()
			ready(hello)
		}
	}
	pipes.Go(w.listen)
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
	w.end(true)
	pipes.Wait()
	ended := fmt.Errorf("ipc: worker ended: %s", w.proc.reap())
	w.blame.Lock()
	if w.reason != nil {
		ended = fmt.Errorf("ipc: worker broke the wire: %w", w.reason)
	}
	w.blame.Unlock()
	w.fail(&protocol.Error{Code: protocol.CodeWorkerCrashed, Err: ended})
	return ended
}

// listen reads what the worker says to the end, which is that of the worker.
func (w *worker) listen() {
	if err := w.read(); err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) {
		w.violate(err)
		return
	}
	// Without its output it is of no use. An ending process gets the time to end.
	w.end(false)
	time.AfterFunc(drainTime, w.kill)
}

// violate ends a worker that does not keep to the wire.
func (w *worker) violate(reason error) {
	w.blame.Lock()
	if w.reason == nil {
		w.reason = reason
	}
	w.blame.Unlock()
	w.end(false)
	w.kill()
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
	w.end(false)
	time.AfterFunc(w.opts.StopTimeout/2, func() { w.proc.signal(terminate) })
	time.AfterFunc(w.opts.StopTimeout, w.kill)
}

func (w *worker) kill() { w.proc.signal(kill) }
