package ipc

import (
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/bluelibs/go-tunnel/ipc/internal/conn"
)

// adversity is what a pool must bear beside what a test does to it.
type adversity struct {
	options func(*Options)
	begin   func(*Pool) (end func())
}

// adversities runs a test with each of them, and with none.
func adversities(t *testing.T, test func(t *testing.T, with adversity)) {
	t.Run("in peace", func(t *testing.T) {
		test(t, adversity{func(*Options) {}, func(*Pool) func() { return func() {} }})
	})
	t.Run("with a stuck log", func(t *testing.T) {
		log, _ := newStuckLog(t)
		test(t, adversity{
			func(o *Options) { o.Logger = slog.New(log) },
			func(pool *Pool) func() {
				for range 2 * logRoom / recordWeight {
					pool.log.Info("there is no room for more")
				}
				return func() {}
			},
		})
	})
	t.Run("with endless streams", func(t *testing.T) {
		test(t, adversity{func(*Options) {}, func(pool *Pool) func() { return readEndlessly(t, pool, 8) }})
	})
}

// readEndlessly has so many readers, each with a stream that does not end by itself, and
// another one when that was cut.
func readEndlessly(t *testing.T, pool *Pool, readers int) (stop func()) {
	ctx, cancel := withCancel(t)
	var all sync.WaitGroup
	var cut atomic.Int64
	for range readers {
		all.Go(func() {
			for ctx.Err() == nil {
				reply, err := pool.Execute(ctx, task("stream", ""))
				if err != nil {
					continue // the worker has died, or the test is over
				}
				data, err := io.ReadAll(reply.Stream)
				if assert.Error(t, err) && ctx.Err() == nil {
					assert.Equal(t, "abc", string(data))
					assert.ErrorIs(t, err, conn.ErrEnded)
					cut.Add(1)
				}
				_ = reply.Stream.Close()
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
		assert.Positive(t, cut.Load())
	}
}
