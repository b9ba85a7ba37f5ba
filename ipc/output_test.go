package ipc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// slowLog is a logger that takes nothing until it is released.
type slowLog struct {
	released         chan struct{}
	lines, dropped   atomic.Int64
	handlerNeedsNone // WithAttrs and WithGroup
}

type handlerNeedsNone struct{ slog.Handler }

func (l *slowLog) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l *slowLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *slowLog) Handle(_ context.Context, r slog.Record) error {
	<-l.released
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "line":
			l.lines.Add(1)
		case "lines":
			l.dropped.Add(a.Value.Int64())
		}
		return true
	})
	return nil
}

// A log that takes nothing holds up no worker, and every line is logged or counted.
func TestFloodWithABlockedLog(t *testing.T) {
	log := &slowLog{released: make(chan struct{})}
	release := sync.OnceFunc(func() { close(log.released) })
	t.Cleanup(release)
	pool, _ := startHeld(t, "framed", func(o *Options) { o.Logger = slog.New(log) })
	begin := time.Now()
	requireValue(t, `"flood"`, pool, task("flood", ""))
	t.Logf("64 MiB on standard error with a blocked log: %v", time.Since(begin))
	release()
	require.NoError(t, pool.Shutdown(t.Context()))
	perFlood := int64(64*(1<<20/100)) + 1
	assert.Equal(t, perFlood, log.lines.Load()+log.dropped.Load())
	assert.Positive(t, log.dropped.Load())
}

func TestCrashLogHasTheEndOfStandardError(t *testing.T) {
	log := &logBuffer{}
	pool := start(t, Options{Command: []string{"sh", "-c", "read x; echo the reason >&2; exit 3"}, Wire: PlainWire},
		func(o *Options) { o.Logger = log.logger() })
	_, err := pool.Execute(t.Context(), task("any", ""))
	requireCode(t, protocol.CodeWorkerCrashed, err)
	eventually(t, func() bool { return log.has(`stderr="the reason\n"`) })
	assert.Contains(t, log.String(), `reason=crash`)
	assert.Contains(t, log.String(), `exit status 3`)
}

// Calls get through while the worker prints as fast as it can, on both its outputs.
func TestNoiseUnderLoad(t *testing.T) {
	n, floods := 100_000, 1
	if long() {
		n, floods = 1_000_000, 30
	}
	pool, _ := startHeld(t, "plain")
	before := measureSelf(t)
	noise, flood := execute(pool, fmt.Sprint("noise ", n)), make(chan error, 1)
	go func() {
		var err error
		for range floods {
			err = errors.Join(err, <-execute(pool, "flood"))
		}
		flood <- err
	}()
	begin := time.Now()
	stop := load(pool, 8, func(n int64) *protocol.Call { return task(fmt.Sprint("echo ", n), "") })
	require.NoError(t, <-noise)
	noisy := time.Since(begin)
	require.NoError(t, <-flood)
	took, errs := stop()
	require.Empty(t, errs)
	t.Logf("%d lines on the wire in %v, %d MiB on standard error in %v, %d calls meanwhile, p99 %v, max %v; heap %d, before %d KiB",
		n, noisy, 64*floods, time.Since(begin), len(took), p99(took), took[len(took)-1], measureSelf(t).heap>>10, before.heap>>10)
}
