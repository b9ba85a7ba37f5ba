package ipc

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// How much waits for the log at most, in bytes; as much again the log's goroutine has. What
// workers print and say can only fill a part, so that the pool's own words find room.
const (
	logRoom      = 512 << 10
	messageRoom  = logRoom / 2 // for log messages of workers
	outputRoom   = logRoom / 4 // for their outputs
	recordWeight = 512         // of a record without its texts
)

// lastWords is how long the end of a worker, and of the pool, waits for a log that is slow.
// One that stands still for as long is not waited for.
const lastWords = 2 * time.Second

// logs takes a pool's records to a handler, which may stand still for as long as it likes:
// whoever logs puts a record into a queue, and one goroutine hands them on. Those that find
// no room are counted, and the log gets the sum when it goes on.
type logs struct {
	handler slog.Handler
	done    chan struct{} // closed when all is logged, after close

	mu      sync.Mutex
	wake    sync.Cond // there is something to log, or closed is set
	room    sync.Cond // records was taken, or a waiter has given up
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

// logger returns one whose records may fill so much of the queue. It never waits, unless
// wait is given: then for room, until that is given up.
func (l *logs) logger(room int, wait *logWait) *slog.Logger {
	return slog.New(&logHandler{logs: l, most: room, wait: wait})
}

// logWait is the patience of one that would rather wait for the log than lose a record.
type logWait struct{ over bool } // under the lock of logs

// giveUp lets nobody wait any more.
func (l *logs) giveUp(wait *logWait) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait.over = true
	l.room.Broadcast()
}

func (l *logs) put(r slog.Record, room int, wait *logWait) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for wait != nil && !wait.over && l.size >= room {
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
		records, dropped, over := l.records, l.dropped, l.closed
		l.records, l.size, l.dropped = nil, 0, 0
		l.room.Broadcast()
		l.mu.Unlock()
		if dropped > 0 { // after those that were in their way
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
		if over && len(records) == 0 {
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
		return lastWords
	}
	return max(0, lastWords-time.Since(l.begun))
}

// close returns when all is logged. It does not wait for ever: a handler that stands still
// is left to itself, with its goroutine, which ends after it.
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

// logHandler puts records into a queue. What the handler behind it would say to their
// levels and attributes is asked there, too: even that may wait.
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
