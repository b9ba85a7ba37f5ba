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

// worker is one process that takes calls, with its output and the conversation with it.
type worker struct {
	conn     *conn.Conn
	log      *slog.Logger
	proc     *proc.Process
	name     string // its slot and its process, by which people find its log lines
	opts     *Options
	output   *proc.Output
	wait     *logWait    // of the output
	draining func()      // called when the worker gets no more calls
	hello    *wire.Hello // its newest, under Pool.mu; nil on the plain wire

	mu     sync.Mutex
	cause  error         // why the worker is killed, nil if the exit state says why
	timers []*time.Timer // they end it with more and more force; stopped when it has ended
	ended  bool

	logging sync.WaitGroup // of the output
}

// command returns the command of a worker. A variable tells the worker where the framed wire is.
func (o *Options) command() proc.Command {
	c := proc.Command{Args: o.Command, Dir: o.Dir, Env: o.environment(), User: o.user, Stdin: o.stdin}
	if o.Wire == PlainWire {
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
	p, err := launcher.Start(opts.command())
	if err != nil {
		return nil, err
	}
	wait := &logWait{}
	logger := func(room int, wait *logWait) *slog.Logger {
		return opts.logs.logger(room, wait).With("worker", slot, "pid", p.PID())
	}
	return &worker{
		conn: conn.New(conn.Config{
			Requests: p.In, Answers: p.Out, Plain: opts.Wire == PlainWire, MaxAnswer: opts.MaxAnswer, CancelGrace: opts.CancelGrace,
			Log: logger(messageRoom, nil),
		}),
		log:    logger(logRoom, nil),
		proc:   p,
		name:   fmt.Sprintf("%d/%d", slot, p.PID()),
		opts:   opts,
		output: proc.NewOutput(logger(outputRoom, wait), p.PID(), opts.Output),
		wait:   wait,
	}, nil
}

// run serves the worker's pipes until the process has ended and its output was read to the end. Then
// it fails the calls without an answer, and returns how the process ended. It calls ready, from any
// goroutine: on the plain wire at once, with nil; on the framed wire for each hello.
func (w *worker) run(ready func(hello *wire.Hello)) error {
	var pipes sync.WaitGroup
	var greeted atomic.Bool // the worker has sent its hello, or needs none
	w.logging.Go(w.output.Run)
	pipes.Go(w.write)
	if w.opts.Wire == PlainWire {
		w.conn.Output = func(line []byte, cut int64) { w.output.Add("stdout", line, cut) }
		greeted.Store(true)
		ready(nil)
	} else {
		late := time.AfterFunc(w.opts.StartTimeout, func() {
			w.fail(fmt.Errorf("%w within Options.StartTimeout (%v)", ErrStartTimeout, w.opts.StartTimeout))
		})
		defer late.Stop()
		w.conn.Hello = func(hello *wire.Hello) {
			late.Stop()
			greeted.Store(true)
			ready(hello)
		}
		w.conn.Draining = w.drain
	}
	pipes.Go(w.read)
	w.proc.Pump(&pipes, w.output)
	w.proc.Wait()
	w.drain()
	w.conn.CloseWrite(true)
	pipes.Wait()
	err := w.exit(w.proc.Reap(), greeted.Load())
	w.conn.Fail(&protocol.Error{Code: protocol.CodeWorkerCrashed, Err: err})
	w.output.Close()
	return err
}

// exit notes that the process has ended, and returns the reason.
func (w *worker) exit(state string, greeted bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	for _, timer := range w.timers {
		timer.Stop()
	}
	err := fmt.Errorf("%w: %s", ErrWorkerEnded, state)
	if w.cause != nil {
		err = fmt.Errorf("%w: %w", ErrWorkerEnded, w.cause)
	}
	if greeted {
		return err
	}
	if !errors.Is(w.cause, ErrStartTimeout) {
		err = fmt.Errorf("%w before its hello on the framed wire", err)
	}
	return fmt.Errorf("%w%s", err, w.hint())
}

// hint returns why the worker may have sent no hello: the error that it has printed, or else a
// common mistake.
func (w *worker) hint() string {
	if reason := proc.ExitReason(w.output.Tail()); reason != "" {
		return ": " + reason
	}
	if w.opts.stdin != nil {
		return ""
	}
	return " (a wrapper, such as npm run, nodemon or tsx, does not pass descriptors 3 and 4 on; a worker written by hand needs Options.Wire to be PlainWire)"
}

// flushOutput returns when the worker's output was passed to the log, or counted as dropped. It does
// not wait for a log that stands still.
func (w *worker) flushOutput() {
	late := time.AfterFunc(w.opts.logs.patience(), func() { w.opts.logs.expire(w.wait) })
	defer late.Stop()
	w.logging.Wait()
}

// read reads the worker's messages to the end.
func (w *worker) read() {
	if err := w.conn.ReadLoop(); err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) {
		w.fail(fmt.Errorf("protocol violation: %w", err))
		return
	}
	w.disconnected()
}

// write writes messages to the worker to the end.
func (w *worker) write() {
	if w.conn.WriteLoop() != nil {
		w.disconnected()
	}
}

// disconnected notes that the worker has closed one of its pipes. It cannot be used any more, but it
// gets some time to end by itself.
func (w *worker) disconnected() {
	w.drain()
	w.after(proc.DrainTime, w.proc.Kill)
}

// drain sends no more calls to the worker, because it is about to end. Its input stays open, since
// what is unread in it shows which calls the worker has not received.
func (w *worker) drain() {
	w.conn.Drain()
	w.draining()
}

// fail kills a worker that cannot be used.
func (w *worker) fail(cause error) {
	w.setCause(cause)
	w.drain()
	w.proc.Kill()
}

// setCause sets why the worker is killed. The first cause stays.
func (w *worker) setCause(cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cause == nil {
		w.cause = cause
	}
}

// stop ends the worker within a time: it closes the input at once, and later terminates and kills
// the process. It returns before the worker has ended, and may be called again.
func (w *worker) stop(within time.Duration) {
	w.conn.CloseWrite(false)
	w.after(within/2, w.proc.Terminate)
	w.after(within, func() {
		w.setCause(fmt.Errorf("%w (%v)", errStopTimeout, w.opts.StopTimeout))
		w.proc.Kill()
	})
}

// after calls f after a time, if the worker has not ended by then.
func (w *worker) after(d time.Duration, f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.timers = append(w.timers, time.AfterFunc(d, f))
	}
}
