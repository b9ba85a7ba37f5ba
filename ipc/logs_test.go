package ipc

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// stuckLog is a handler none of whose methods returns before it is released.
type stuckLog struct {
	released        chan struct{}
	logged, dropped *atomic.Int64
}

func newStuckLog(t *testing.T) (log *stuckLog, release func()) {
	log = &stuckLog{released: make(chan struct{}), logged: &atomic.Int64{}, dropped: &atomic.Int64{}}
	release = sync.OnceFunc(func() { close(log.released) })
	t.Cleanup(release)
	return log, release
}

func (l *stuckLog) Enabled(context.Context, slog.Level) bool {
	<-l.released
	return true
}

func (l *stuckLog) WithAttrs([]slog.Attr) slog.Handler {
	<-l.released
	return l
}

func (l *stuckLog) WithGroup(string) slog.Handler { return l }

func (l *stuckLog) Handle(_ context.Context, r slog.Record) error {
	<-l.released
	counted := false
	r.Attrs(func(a slog.Attr) bool {
		if counted = a.Key == "records"; counted {
			l.dropped.Add(a.Value.Int64())
		}
		return !counted
	})
	if !counted {
		l.logged.Add(1)
	}
	return nil
}

// A log that stands still holds up nothing: refusals, deaths, restarts, the log messages of
// workers, pings, and the end.
func TestStuckLog(t *testing.T) {
	log, release := newStuckLog(t)
	pool, _ := startHeld(t, "framed", func(o *Options) {
		o.Logger = slog.New(log)
		o.Concurrency, o.MaxQueue = 1, -1
	})
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := pool.Execute(ctx, task("never", ""))
		left <- err
	}()
	eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 1 })
	logs := pool.opts.logs
	eventually(t, func() bool { return logs.patience() < flushTimeout }) // it stands still
	_, err := pool.Execute(t.Context(), task("any", ""))
	requireCode(t, protocol.CodeOverloaded, err)
	eventually(t, func() bool { // the supervisor has told the log
		logs.mu.Lock()
		defer logs.mu.Unlock()
		return slices.ContainsFunc(logs.records, func(r slog.Record) bool { return r.Message == "ipc: calls refused" })
	})
	killed := func() {
		pid := pool.Stats().Workers[0].PID
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		eventually(t, func() bool { current := pidOfCurrent(pool); return current != 0 && current != pid })
	}
	killed()
	cancel()
	require.Error(t, <-left)
	requireValue(t, `"log"`, pool, task("log", ""))
	require.NoError(t, pool.Restart(t.Context()))
	requireValue(t, `"log"`, pool, task("log", ""))
	eventually(t, func() bool { return len(pool.Stats().Workers) == 1 })
	killed()
	require.NoError(t, pool.Shutdown(t.Context()))

	release()
	<-pool.opts.logs.done
	assert.Positive(t, log.dropped.Load())
	// 20,000 messages; refused; for four workers ready, that they expose nothing, and ended.
	assert.EqualValues(t, 20_000+1+4+4+4, log.logged.Load()+log.dropped.Load(), "each is logged or counted")
}

// A log that has stood still is not waited for at the end, one that goes on is.
func TestLogsEnd(t *testing.T) {
	handler, release := newStuckLog(t)
	l := newLogs(handler)
	log := l.logger(logRoom, nil)
	log.Info("taken")
	eventually(t, func() bool { return l.patience() < flushTimeout })
	log.Info("waits")
	l.mu.Lock()
	l.begun = l.begun.Add(-flushTimeout)
	l.mu.Unlock()
	assert.Zero(t, l.patience())
	l.close()
	assert.Zero(t, handler.logged.Load())
	release()
	<-l.done
	assert.EqualValues(t, 2, handler.logged.Load())
	assert.Equal(t, flushTimeout, l.patience())
}

// What reaches the log is what was logged, in its order.
func TestLogs(t *testing.T) {
	var got, want bytes.Buffer
	withoutTime := &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	l := newLogs(slog.NewTextHandler(&got, withoutTime).WithGroup("server"))
	through, direct := l.logger(logRoom, nil), slog.New(slog.NewTextHandler(&want, withoutTime).WithGroup("server"))
	for _, log := range []*slog.Logger{through, direct} {
		log = log.With("worker", 1)
		log.Info("plain")
		log.With("a", 1).Warn("with more", "b", 2)
		log.With("c", 3).Error("with other", slog.Group("d", "e", 4))
		log.Debug("not this")
	}
	l.close()
	assert.Equal(t, want.String(), got.String())
	<-l.done
}

// What workers print and say leaves room for what the pool says.
func TestLogsKeepRoomForThePool(t *testing.T) {
	handler, release := newStuckLog(t)
	l := newLogs(handler)
	wait := &logWait{expired: true}
	rooms := []*slog.Logger{l.logger(outputRoom, wait), l.logger(messageRoom, nil), l.logger(logRoom, nil)}
	put := func(log *slog.Logger) bool { // reports whether there was room
		l.mu.Lock()
		before := l.dropped
		l.mu.Unlock()
		log.Info("x")
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.dropped == before
	}
	require.True(t, put(rooms[0]))
	eventually(t, func() bool { return l.patience() < flushTimeout }) // the handler has it, and takes no more
	total := 1
	for i, log := range rooms {
		n := 0
		for put(log) {
			n++
		}
		total += n + 1
		assert.Positive(t, n, fmt.Sprint(i))
		for _, full := range rooms[:i] {
			assert.False(t, put(full))
			total++
		}
	}
	assert.LessOrEqual(t, l.size, logRoom+1<<10)
	release()
	l.close()
	<-l.done
	assert.EqualValues(t, total, handler.logged.Load()+handler.dropped.Load())
}
