package ipc

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/conn"
	"github.com/bluelibs/go-tunnel/ipc/internal/proc"
	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
	"github.com/bluelibs/go-tunnel/protocol"
)

// errLate says that a worker was killed because it did not become ready.
var errLate = errors.New("it said no hello")

// errCut says that a worker was killed while it stopped.
var errCut = errors.New("it had not ended within Options.StopTimeout and was killed")

// worker is one process that takes calls: the process, its output, and the conversation
// with it.
type worker struct {
	conn   *conn.Conn
	log    *slog.Logger
	proc   *proc.Process
	name   string // its slot and its process, for those who look for its own log lines
	opts   *Options
	output *proc.Output
	wait   *logWait // of the output
	lost   func()   // takes that there must be no more calls

	mu     sync.Mutex
	reason error         // why the worker was killed, nil if that says itself
	timers []*time.Timer // that will end it; stopped when it has ended
	over   bool          // it has

	logging sync.WaitGroup // of the output
}

// command returns what to run. The environment tells the worker where the framed wire is.
func (o *Options) command() proc.Command {
	c := proc.Command{Args: o.Command, Dir: o.Dir, Env: o.environment(), User: o.user, Stdin: o.script}
	if o.Plain {
		return c
	}
	c.ExtraFiles = proc.HasExtraFiles
	where := wire.Stdio
	if c.ExtraFiles {
		where = wire.FDs
	}
	c.Env = append(c.Env, wire.Env+"="+where)
	return c
}

func startWorker(opts *Options, launcher *proc.Launcher, slot int) (*worker, error) {
	child, err := launcher.Start(opts.command())
	if err != nil {
		return nil, err
	}
	wait := &logWait{}
	logger := func(room int, wait *logWait) *slog.Logger {
		return opts.logs.logger(room, wait).With("worker", slot, "pid", child.PID())
	}
	return &worker{
		conn: conn.New(conn.Config{
			Requests: child.In, Answers: child.Out, Plain: opts.Plain, MaxMessage: opts.MaxMessage, CancelGrace: opts.CancelGrace,
			Log: logger(messageRoom, nil),
		}),
		log:    logger(logRoom, nil),
		proc:   child,
		name:   fmt.Sprintf("%d/%d", slot, child.PID()),
		opts:   opts,
		output: proc.NewOutput(logger(outputRoom, wait), child.PID(), opts.Output),
		wait:   wait,
	}, nil
}

// run serves the worker's pipes until the process has ended and its output was read
// to the end, fails the calls without an answer, and returns how the process ended.
// It calls ready once, from any goroutine, when the worker can take calls, at once on
// the plain wire, after its hello on the framed one, and then again for each hello.
func (w *worker) run(ready func(hello *wire.Hello)) error {
	var pipes sync.WaitGroup
	var said atomic.Bool // hello, if it has to
	w.logging.Go(w.output.Run)
	pipes.Go(w.speak)
	if w.opts.Plain {
		w.conn.Output = func(line []byte, cut int64) { w.output.Add("stdout", line, cut) }
		said.Store(true)
		ready(nil)
	} else {
		late := time.AfterFunc(w.opts.StartTimeout, func() {
			w.violate(fmt.Errorf("%w within Options.StartTimeout (%v)", errLate, w.opts.StartTimeout))
		})
		defer late.Stop()
		w.conn.Hello = func(hello *wire.Hello) {
			late.Stop()
			said.Store(true)
			ready(hello)
		}
		w.conn.Draining = w.close
	}
	pipes.Go(w.listen)
	w.proc.Pump(&pipes, w.output)
	w.proc.Wait()
	w.close()
	w.conn.CloseWrite(true)
	pipes.Wait()
	ended := fmt.Errorf("%w: %s", conn.ErrEnded, w.proc.Reap())
	w.mu.Lock()
	if w.reason != nil {
		ended = fmt.Errorf("%w: %w", conn.ErrEnded, w.reason)
	}
	w.over = true
	for _, timer := range w.timers {
		timer.Stop()
	}
	w.mu.Unlock()
	if !said.Load() {
		if !errors.Is(w.reason, errLate) {
			ended = fmt.Errorf("%w before its hello on the framed wire", ended)
		}
		ended = fmt.Errorf("%w%s", ended, w.hint())
	}
	w.conn.Fail(&protocol.Error{Code: protocol.CodeWorkerCrashed, Err: ended})
	w.output.Close()
	return ended
}

// logRest returns when what the worker has printed was handed to the log, or counted as
// dropped: a log that stands still is not waited for.
func (w *worker) logRest() {
	late := time.AfterFunc(w.opts.logs.patience(), func() { w.opts.logs.giveUp(w.wait) })
	defer late.Stop()
	w.logging.Wait()
}

// hint returns what may have kept the worker from saying hello: what it has printed, or
// else what is known to.
func (w *worker) hint() string {
	if reason := proc.ExitReason(w.output.Tail()); reason != "" {
		return ": " + reason
	}
	if w.opts.script != nil {
		return ""
	}
	return " (a wrapper, such as npm run, nodemon or tsx, does not pass descriptors 3 and 4 on; a worker written by hand needs Options.Plain)"
}

// listen reads what the worker says to the end, which is that of the worker.
func (w *worker) listen() {
	if err := w.conn.ReadLoop(); err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) {
		w.violate(fmt.Errorf("protocol violation: %w", err))
		return
	}
	w.deaf()
}

// speak writes what is for the worker to the end, which is that of the worker, too, unless
// the pool wants it.
func (w *worker) speak() {
	if w.conn.WriteLoop() != nil {
		w.deaf()
	}
}

// deaf takes that one of the pipes is closed at the worker's end: without it the worker is of
// no use. An ending process gets the time to end.
func (w *worker) deaf() {
	w.close()
	w.after(proc.DrainTime, w.kill)
}

// close lets the worker have no more calls, because it is about to end. Its input stays
// open, to tell what it has read of it.
func (w *worker) close() {
	w.conn.Drain()
	w.lost()
}

// violate ends a worker that does not keep to the wire.
func (w *worker) violate(reason error) {
	w.blame(reason)
	w.close()
	w.kill()
}

// blame remembers why the worker is killed.
func (w *worker) blame(reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reason == nil {
		w.reason = reason
	}
}

// stop ends the worker within a time: at once by the end of its input, then with more
// and more force. It returns before the worker has ended, and may be called again.
func (w *worker) stop(within time.Duration) {
	w.conn.CloseWrite(false)
	w.after(within/2, func() { w.proc.Terminate() })
	w.after(within, func() {
		w.blame(fmt.Errorf("%w (%v)", errCut, w.opts.StopTimeout))
		w.kill()
	})
}

func (w *worker) kill() { w.proc.Kill() }

// after calls f after a time, if the worker has not ended by then.
func (w *worker) after(d time.Duration, f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.timers = append(w.timers, time.AfterFunc(d, f))
	}
}
