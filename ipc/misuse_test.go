package ipc

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc/internal/pipe"
	"github.com/bluelibs/go-tunnel/protocol"
)

// requireSame holds that what is done does not end the pool's worker.
func requireSame(t *testing.T, pool *Pool, do func()) {
	t.Helper()
	pid := pidOf(t, pool)
	do()
	require.Equal(t, pid, pidOf(t, pool), "the worker has ended")
}

// A caller's input may be as deep as a value can be: what a task puts around it fails
// its call, and no other one.
func TestResultThatIsTooDeep(t *testing.T) {
	pool := startModule(t, "misuse.mjs")
	requireSame(t, pool, func() {
		_, err := pool.Execute(t.Context(), task("wrap", strings.Repeat("[", 1001)+strings.Repeat("]", 1001)))
		assert.ErrorContains(t, err, "nested too deep")
	})
}

// What listeners throw is between them and their process: if that goes on, so do other
// calls, whose messages come in the same read, or leave with the same write.
func TestListenersThatThrow(t *testing.T) {
	pool := startModule(t, "misuse.mjs")
	const others = 20
	t.Run("when data comes", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var all sync.WaitGroup
		defer all.Wait()
		for range others {
			all.Go(func() {
				_, _ = pool.Execute(ctx, &protocol.Call{ID: "throwInData", Body: newBody(strings.NewReader("x"))})
			})
		}
		var rest sync.WaitGroup
		for range others {
			rest.Go(func() {
				for range 10 {
					reply, err := pool.Execute(ctx, &protocol.Call{ID: "size", Body: newBody(strings.NewReader("12345"))})
					if assert.NoError(t, err) {
						assert.Equal(t, "5", string(reply.Value))
					}
				}
			})
		}
		rest.Wait()
		cancel()
	})
	t.Run("when data has left", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		const size = 1 << 20
		input := fmt.Sprintf(`{"size":%d}`, size)
		var all, rest sync.WaitGroup
		defer all.Wait()
		for i := range 2 * others {
			if i%2 == 0 {
				all.Go(func() {
					if reply, err := pool.Execute(ctx, task("throwInDrain", input)); err == nil {
						_, _ = io.Copy(io.Discard, reply.Stream)
						_ = reply.Stream.Close()
					}
				})
				continue
			}
			rest.Go(func() {
				reply, err := pool.Execute(ctx, task("stream", input))
				if assert.NoError(t, err) {
					n, err := io.Copy(io.Discard, reply.Stream)
					assert.NoError(t, err)
					assert.EqualValues(t, size, n)
					assert.NoError(t, reply.Stream.Close())
				}
			})
		}
		rest.Wait()
		cancel()
	})
}

// A caller who leaves does not wait until a worker takes the data that is on its way.
func TestUploadToABlockedWorker(t *testing.T) {
	log := &logBuffer{}
	pool := startModule(t, "misuse.mjs", func(o *Options) { o.Logger, o.PingTimeout = log.logger(), -1 })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := pool.Execute(ctx, &protocol.Call{ID: "size", Body: newBody(io.MultiReader(reader, zeros{}))})
		done <- err
	}()
	_, err := writer.Write([]byte("x"))
	require.NoError(t, err) // the task reads
	blocked := execute(pool, "block")
	eventually(t, func() bool { return strings.Contains(log.String(), "blocked") })
	require.NoError(t, writer.Close()) // now there is more
	if runtime.GOOS == "linux" {
		calls := currentOf(pool).conn.Requests
		eventually(t, func() bool { return pipe.Unread(calls) > 32<<10 }) // there is no room for another message
	}
	cancel()
	select {
	case err := <-done:
		require.ErrorIs(t, err, context.Canceled)
	case <-time.After(20 * time.Second):
		t.Error("it waits for the worker")
	}
	require.NoError(t, pool.Close())
	require.Error(t, <-blocked)
}

// zeros are endless.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// currentOf returns the only worker of a pool.
func currentOf(pool *Pool) *worker {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	return pool.sched.Newest().Handle.(*worker)
}
