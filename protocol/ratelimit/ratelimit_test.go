package ratelimit

import (
	"context"
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that stands still until it is told to go on.
type clock struct{ time.Time }

func newLimiter(cfg Config) (*Limiter, *clock) {
	c := &clock{time.Unix(1_000_000, 0)}
	l := New(cfg)
	l.now = func() time.Time { return c.Time }
	return l, c
}

func (c *clock) advance(d time.Duration) { c.Time = c.Add(d) }

func header(call *protocol.Call) string { return call.Header.Get("Caller") }

func call(id, caller string) *protocol.Call {
	return &protocol.Call{ID: id, Header: map[string][]string{"Caller": {caller}}}
}

// admitted counts how many of n calls pass.
func admitted(l *Limiter, n int, c *protocol.Call) (passed int) {
	for range n {
		if l.Check(context.Background(), c) == nil {
			passed++
		}
	}
	return passed
}

func retryAfter(t *testing.T, l *Limiter, c *protocol.Call) string {
	t.Helper()
	var public *protocol.Error
	require.ErrorAs(t, l.Check(t.Context(), c), &public)
	assert.Equal(t, protocol.CodeRateLimited, public.Code)
	w := httptest.NewRecorder()
	require.NoError(t, serve.WriteError(w, public, false))
	assert.Equal(t, 429, w.Code)
	return w.Header().Get("Retry-After")
}

func TestGlobal(t *testing.T) {
	l, clock := newLimiter(Config{Global: Limit{PerSecond: 2, Burst: 3}})
	assert.Equal(t, 3, admitted(l, 10, call("a", "")))
	assert.Zero(t, admitted(l, 1, call("b", "x")))
	clock.advance(499 * time.Millisecond)
	assert.Zero(t, admitted(l, 1, call("a", "")))
	assert.Equal(t, "1", retryAfter(t, l, call("a", "")), "one millisecond, rounded up")
	clock.advance(time.Millisecond)
	assert.Equal(t, 1, admitted(l, 2, call("a", "")))
	clock.advance(time.Hour)
	assert.Equal(t, 3, admitted(l, 10, call("a", "")))
}

func TestRetryAfterIsRoundedUp(t *testing.T) {
	for rate, want := range map[float64]string{100: "1", 1: "1", 0.9: "2", 0.4: "3", 0.01: "100", 1e-9: "86400", 1e-300: "86400"} {
		l, _ := newLimiter(Config{Global: Limit{PerSecond: rate, Burst: 1}})
		assert.Equal(t, 1, admitted(l, 2, call("a", "")))
		assert.Equal(t, want, retryAfter(t, l, call("a", "")), rate)
	}
}

func TestPerID(t *testing.T) {
	l, _ := newLimiter(Config{PerID: map[string]Limit{"a": {PerSecond: 1}, "b": {PerSecond: 2.5}, "off": {}}})
	assert.Equal(t, 1, admitted(l, 10, call("a", "")))
	assert.Equal(t, 3, admitted(l, 10, call("b", "")))
	assert.Equal(t, 10, admitted(l, 10, call("off", "")))
	assert.Equal(t, 10, admitted(l, 10, call("c", "")))
}

func TestPerKey(t *testing.T) {
	l, clock := newLimiter(Config{PerKey: Limit{PerSecond: 1, Burst: 2}, Key: header})
	assert.Equal(t, 2, admitted(l, 10, call("a", "x")))
	assert.Equal(t, 2, admitted(l, 10, call("b", "y")))
	assert.Zero(t, admitted(l, 10, call("c", "x")))
	clock.advance(time.Second)
	assert.Equal(t, 1, admitted(l, 10, call("a", "x")))

	none, _ := newLimiter(Config{Key: header})
	assert.Equal(t, 10, admitted(none, 10, call("a", "x")))
	assert.Zero(t, none.keys.order.Len())
}

func TestRefusedCallsTakeNothing(t *testing.T) {
	l, clock := newLimiter(Config{
		Global: Limit{PerSecond: 1, Burst: 10}, PerID: map[string]Limit{"a": {PerSecond: 0.1, Burst: 5}},
		PerKey: Limit{PerSecond: 1, Burst: 2}, Key: header,
	})
	assert.Equal(t, 2, admitted(l, 1000, call("a", "greedy")))
	assert.Equal(t, 2, admitted(l, 1000, call("a", "x")))
	assert.Equal(t, 1, admitted(l, 1000, call("a", "y")), "the task's limit")
	assert.Equal(t, "10", retryAfter(t, l, call("a", "y")), "of the limit that takes longest")
	assert.Equal(t, 1, admitted(l, 1000, call("b", "y")), "what the task's limit has refused was not counted")
	assert.Equal(t, 2, admitted(l, 1000, call("b", "z")))
	assert.Equal(t, 2, admitted(l, 1000, call("b", "w")))
	assert.Zero(t, admitted(l, 1000, call("b", "v")), "the global limit")
	clock.advance(time.Second)
	assert.Equal(t, 1, admitted(l, 1000, call("b", "v")))
}

func TestKeysAreBounded(t *testing.T) {
	l, _ := newLimiter(Config{PerKey: Limit{PerSecond: 1}, Key: header, MaxKeys: 3})
	for i := range 1000 {
		assert.Equal(t, 1, admitted(l, 2, call("a", fmt.Sprint(i))))
	}
	assert.Equal(t, 3, l.keys.order.Len())
	assert.Len(t, l.keys.byKey, 3)
	assert.Zero(t, admitted(l, 1, call("a", "997")), "the oldest that is still known")
	assert.Equal(t, 1, admitted(l, 1, call("a", "new")))
	assert.Zero(t, admitted(l, 1, call("a", "997")), "it was seen since")
	assert.Equal(t, 1, admitted(l, 1, call("a", "998")), "it was forgotten")

	long := strings.Repeat("x", 1<<20)
	assert.Equal(t, 1, admitted(l, 2, call("a", long)))
	assert.Equal(t, 1, admitted(l, 2, call("a", long+"y")))
	for key := range l.keys.byKey {
		assert.LessOrEqual(t, len(key), maxKey)
	}
}

func TestNoLimits(t *testing.T) {
	for _, rate := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		l, _ := newLimiter(Config{Global: Limit{PerSecond: rate, Burst: 1}})
		assert.Equal(t, 100, admitted(l, 100, call("a", "")), rate)
	}
	huge, _ := newLimiter(Config{Global: Limit{PerSecond: 1e300}})
	assert.Equal(t, 100, admitted(huge, 100, call("a", "")))
}

func TestConcurrentCallsAreCountedOnce(t *testing.T) {
	l, _ := newLimiter(Config{Global: Limit{PerSecond: 1, Burst: 50}, PerKey: Limit{PerSecond: 1, Burst: 30}, Key: header})
	var callers sync.WaitGroup
	passed := make([]int, 4)
	for i := range passed {
		callers.Go(func() { passed[i] = admitted(l, 100, call("a", fmt.Sprint(i%2))) })
	}
	callers.Wait()
	assert.Equal(t, 50, passed[0]+passed[1]+passed[2]+passed[3])
	assert.LessOrEqual(t, passed[0]+passed[2], 30)
}

func BenchmarkCheck(b *testing.B) {
	l := New(Config{
		Global: Limit{PerSecond: 1e9}, PerID: map[string]Limit{"a": {PerSecond: 1e9}}, PerKey: Limit{PerSecond: 1e9}, Key: header,
	})
	c := call("a", "x")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := l.Check(context.Background(), c); err != nil {
				b.Error(err)
			}
		}
	})
}
