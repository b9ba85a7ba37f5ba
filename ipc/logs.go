package ipc

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/sched"
	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
)

// These bound the queue, in bytes; the log's goroutine has as much again. Output and messages of
// workers can fill only a part of it, so that there is room for the pool's own records.
const (
	logRoom      = 512 << 10
	messageRoom  = logRoom / 2 // for log messages of workers
	outputRoom   = logRoom / 4 // for their output
	recordWeight = 512         // the size of a record without its texts
)

// flushTimeout is how long the end of a worker, and of the pool, waits for a slow log. It does not
// wait for a log that has stood still for as long.
const flushTimeout = 2 * time.Second

// logs passes a pool's records to a handler that may block for any time: records go into a queue,
// and one goroutine passes them on. Records for which the queue has no room are counted, and the log
// gets their number when it goes on.
type logs struct {
	handler slog.Handler
	done    chan struct{} // closed when all is logged, after close

	mu      sync.Mutex
	wake    sync.Cond // there is something to log, or closed is set
	room    sync.Cond // the queue is empty again, or expire was called
	records []slog.Record
	size    int // of records
	dropped int // records, since the last report
	closed  bool
	begun   time.Time // when the handler got its current record, zero if it has none
}

func newLogs(handler slog.Handler) *logs {
	l := &logs{handler: handler, done: make(chan struct{})}
	l.wake.L, l.room.L = &l.mu, &l.mu
	go l.run()
	return l
}

// logger returns a logger whose records may fill the queue up to room bytes. If wait is not nil, it
// waits for room until expire.
func (l *logs) logger(room int, wait *logWait) *slog.Logger {
	return slog.New(&logHandler{logs: l, room: room, wait: wait})
}

// logWait ends the waits of a logger.
type logWait struct{ expired bool } // under the lock of logs

// expire ends the waits for room.
func (l *logs) expire(wait *logWait) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait.expired = true
	l.room.Broadcast()
}

func (l *logs) put(r slog.Record, room int, wait *logWait) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for wait != nil && !wait.expired && l.size >= room {
		l.room.Wait()
	}
	if l.size >= room {
		l.dropped++
		return
	}
	l.records = append(l.records, r)
	l.size += weight(r)
	l.wake.Signal()
}

func weight(r slog.Record) int {
	sum := recordWeight + len(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		sum += attrWeight(a)
		return true
	})
	return sum
}

func attrWeight(a slog.Attr) int {
	sum := len(a.Key)
	switch a.Value.Kind() {
	case slog.KindString:
		sum += len(a.Value.String())
	case slog.KindGroup:
		for _, inner := range a.Value.Group() {
			sum += attrWeight(inner)
		}
	}
	return sum
}

// run logs the records, until close was called and all are logged.
func (l *logs) run() {
	defer close(l.done)
	for {
		l.mu.Lock()
		for len(l.records) == 0 && l.dropped == 0 && !l.closed {
			l.wake.Wait()
		}
		records, dropped, closed := l.records, l.dropped, l.closed
		l.records, l.size, l.dropped = nil, 0, 0
		l.room.Broadcast()
		l.mu.Unlock()
		if dropped > 0 { // after the records that filled the queue
			r := slog.NewRecord(time.Now(), slog.LevelWarn, "ipc: log records dropped: the log is too slow", 0)
			r.AddAttrs(slog.Int("records", dropped))
			records = append(records, r)
		}
		for _, r := range records {
			l.begin(time.Now())
			if l.handler.Enabled(context.Background(), r.Level) {
				_ = l.handler.Handle(context.Background(), r)
			}
		}
		l.begin(time.Time{})
		if closed && len(records) == 0 {
			return
		}
	}
}

func (l *logs) begin(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = at
}

// patience returns how long the end of a worker or of the pool waits for the handler.
func (l *logs) patience() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun.IsZero() {
		return flushTimeout
	}
	return max(0, flushTimeout-time.Since(l.begun))
}

// close returns when all is logged, or flushTimeout is over. If the handler stands still, the
// goroutine ends later.
func (l *logs) close() {
	l.mu.Lock()
	l.closed = true
	l.wake.Signal()
	l.mu.Unlock()
	timer := time.NewTimer(l.patience())
	defer timer.Stop()
	select {
	case <-l.done:
	case <-timer.C:
	}
}

// logHandler puts records into the queue. Only the goroutine calls the real handler, even its
// Enabled, since any call may block.
type logHandler struct {
	logs  *logs
	room  int
	wait  *logWait
	attrs []slog.Attr
}

func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	if len(h.attrs) > 0 {
		own := r
		r = slog.NewRecord(own.Time, own.Level, own.Message, own.PC)
		r.AddAttrs(h.attrs...)
		own.Attrs(func(a slog.Attr) bool {
			r.AddAttrs(a)
			return true
		})
	}
	h.logs.put(r, h.room, h.wait)
	return nil
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return &with
}

// WithGroup is part of the interface. The pool has no groups.
func (h *logHandler) WithGroup(string) slog.Handler { return h }

// logReady logs that a worker can take calls, which tells operators that an outage is over.
func (p *Pool) logReady(w *worker, hello *wire.Hello, after time.Duration) {
	attrs := []any{"after", after}
	if hello != nil {
		attrs = append(attrs, "runtime", hello.Runtime)
	}
	w.log.Info("ipc: worker ready", attrs...)
	if hello == nil {
		return
	}
	if hello.Package != "" && hello.Package != wire.Package {
		w.log.Warn("ipc: the worker has another version of @bluelibs/tunnel-worker than this server", "package", hello.Package, "server", wire.Package)
	}
	if len(hello.Tasks)+len(hello.Events) == 0 {
		w.log.Warn("ipc: the worker exposes nothing: set tunnel.Config.AllowList to protocol.NewAllowList(tasks, events) (or give a Runner application a tunnel of mode server or a served lane)")
	}
	if len(hello.Schemas) > 0 && p.opts.OnSchemas == nil {
		w.log.Warn("ipc: the module has schemas, and nothing checks them without Options.OnSchemas and a Middleware: see schema.Announced")
	}
}

// logExit logs the end of a worker, as an error if it was not planned.
func (p *Pool) logExit(w *worker, slot int, reason ExitReason, err error, lifetime time.Duration) {
	attrs := []any{"reason", reason, "lifetime", lifetime}
	level := slog.LevelInfo
	if reason == ExitStop {
		level = slog.LevelDebug
	}
	switch reason {
	case ExitCrash, ExitStart, ExitPing, ExitTimeout:
		level = slog.LevelError
		attrs = append(attrs, "error", err)
		if w != nil {
			attrs = append(attrs, "stderr", w.output.Tail())
		}
	default:
		if errors.Is(err, errStopTimeout) {
			level = slog.LevelWarn
			attrs = append(attrs, "error", err)
		}
	}
	log := p.log.With("worker", slot)
	if w != nil {
		log = w.log
		w.flushOutput()
	}
	log.Log(context.Background(), level, "ipc: worker ended", attrs...)
}

// logRefusals logs how many calls were refused since the last time.
func (p *Pool) logRefusals(n sched.Refusals) {
	p.log.Warn("ipc: calls refused", "queueFull", n.QueueFull, "late", n.QueueTimeout, "noWorker", n.NoWorker, "closed", n.Closed)
}
