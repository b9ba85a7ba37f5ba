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

// The bounds of the queue, in bytes; the log's goroutine has as much again. Output and messages of
// workers can only fill a part, so that the pool's own records find room.
const (
	logRoom      = 512 << 10
	messageRoom  = logRoom / 2 // for log messages of workers
	outputRoom   = logRoom / 4 // for their output
	recordWeight = 512         // of a record without its texts
)

// flushTimeout is how long the end of a worker, and of the pool, waits for a slow log. It does not
// wait for a log that has stood still for as long.
const flushTimeout = 2 * time.Second

// logs passes a pool's records to a handler, which may stand still for as long as it likes: a
// record goes into a queue, and one goroutine hands it on. A record without room in the queue is
// counted, and the log gets the sum when it goes on.
type logs struct {
	handler slog.Handler
	done    chan struct{} // closed when all is logged, after close

	mu      sync.Mutex
	wake    sync.Cond // there is something to log, or closed is set
	room    sync.Cond // records was taken, or giveUp was called
	records []slog.Record
	size    int // of records
	dropped int // records, since the last report
	closed  bool
	begun   time.Time // when the handler got the record that it has, zero if it has none
}

func newLogs(handler slog.Handler) *logs {
	l := &logs{handler: handler, done: make(chan struct{})}
	l.wake.L, l.room.L = &l.mu, &l.mu
	go l.run()
	return l
}

// logger returns a logger whose records may fill so much of the queue. It waits for room if wait is
// not nil, until giveUp.
func (l *logs) logger(room int, wait *logWait) *slog.Logger {
	return slog.New(&logHandler{logs: l, most: room, wait: wait})
}

// logWait is for a logger that waits for room.
type logWait struct{ expired bool } // under the lock of logs

// giveUp ends the waiting.
func (l *logs) giveUp(wait *logWait) {
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

// run logs what is put, until close and all was logged.
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
			r := slog.NewRecord(time.Now(), slog.LevelWarn, "ipc: log records dropped: there are more than the log takes", 0)
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

// patience returns how long the handler is to be waited for at the end.
func (l *logs) patience() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun.IsZero() {
		return flushTimeout
	}
	return max(0, flushTimeout-time.Since(l.begun))
}

// close returns when all is logged, or flushTimeout is over: the goroutine of a handler that stands
// still ends after that.
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

// logHandler puts records into the queue. The goroutine asks the handler behind it about levels and
// attributes, too: even that may wait.
type logHandler struct {
	logs  *logs
	most  int
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
	h.logs.put(r, h.most, h.wait)
	return nil
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return &with
}

// WithGroup is part of the interface. The pool has no groups.
func (h *logHandler) WithGroup(string) slog.Handler { return h }

// logReady logs that a worker can have calls, which tells operators that an outage is over.
func (p *Pool) logReady(w *worker, hello *wire.Hello, after time.Duration) {
	attrs := []any{"after", after}
	if hello != nil {
		attrs = append(attrs, "runtime", hello.Runtime)
	}
	w.log.Info("ipc: worker ready", attrs...)
	if hello != nil && len(hello.Tasks)+len(hello.Events) == 0 {
		w.log.Warn("ipc: the worker exposes nothing: nothing is callable without tunnel.Config.AllowList: protocol.NewAllowList(tasks, events) (or a tunnel of mode server or a served lane in a Runner application)")
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
