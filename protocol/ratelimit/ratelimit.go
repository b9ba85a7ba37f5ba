// Package ratelimit refuses calls that come too often: too many at all, of one id, or of
// one caller.
//
//	limiter := ratelimit.New(ratelimit.Config{
//		Global: ratelimit.Limit{PerSecond: 1000},
//		PerKey: ratelimit.Limit{PerSecond: 5, Burst: 20},
//		Key:    ratelimit.Identity, // or Address, or Forwarded behind a proxy
//	})
//	config.Middleware = []tunnel.Middleware{tunnel.Check(limiter.Check)}
//
// It counts in this process, and only calls that were let in: requests that fail to
// authenticate are a matter of HTTP middleware.
package ratelimit

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Limit is how often something may be done.
type Limit struct {
	// PerSecond is the rate in the long run. Zero or less means no limit.
	PerSecond float64
	// Burst is how many calls may come at once after a pause. Zero or less means one
	// second's worth, at least 1.
	Burst int
}

func (l Limit) bucket() *rate.Limiter {
	if l.PerSecond <= 0 || math.IsNaN(l.PerSecond) || math.IsInf(l.PerSecond, 1) {
		return nil
	}
	if l.Burst <= 0 {
		l.Burst = int(math.Ceil(min(l.PerSecond, math.MaxInt32)))
	}
	return rate.NewLimiter(rate.Limit(l.PerSecond), l.Burst)
}

// Config says what a Limiter limits. A call must be within all limits; one that is
// refused takes nothing from any.
type Config struct {
	// Global bounds all calls together.
	Global Limit
	// PerID bounds tasks and events by id; other ids have no limit of their own.
	PerID map[string]Limit
	// PerKey bounds the calls of each caller, as Key tells them apart: see Identity,
	// Address and Forwarded. Key is called concurrently. Nil means no such limit.
	PerKey Limit
	Key    func(call *protocol.Call) string
	// MaxKeys is how many callers are remembered. The one that was not seen for longest
	// is forgotten first, and may have its burst again. Zero or less means 10,000.
	MaxKeys int
}

// Limiter counts calls. Make one with New. It is safe for concurrent use, and starts no
// goroutine.
type Limiter struct {
	key func(call *protocol.Call) string
	now func() time.Time

	mu     sync.Mutex // all limits of a call are decided about at once
	global *rate.Limiter
	perID  map[string]*rate.Limiter
	keys   keys
}

// New returns a Limiter.
func New(cfg Config) *Limiter {
	l := &Limiter{
		key:    cfg.Key,
		now:    time.Now,
		global: cfg.Global.bucket(),
		perID:  make(map[string]*rate.Limiter, len(cfg.PerID)),
		keys:   keys{limit: cfg.PerKey, most: cfg.MaxKeys},
	}
	for id, limit := range cfg.PerID {
		l.perID[id] = limit.bucket()
	}
	if l.keys.most <= 0 {
		l.keys.most = 10_000
	}
	return l
}

// Check counts a call, for tunnel.Check. The error is 429 RATE_LIMITED with the time
// after which the call would be within all limits as RetryAfter.
func (l *Limiter) Check(_ context.Context, call *protocol.Call) error {
	key := ""
	if l.key != nil {
		key = l.key(call) // not under the lock: it may take its time
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	buckets := [3]*rate.Limiter{l.global, l.perID[call.ID], nil}
	if l.key != nil {
		buckets[2] = l.keys.bucket(key)
	}
	var wait time.Duration
	for _, b := range buckets {
		if b != nil {
			wait = max(wait, missing(b, now))
		}
	}
	if wait > 0 {
		return &protocol.Error{Code: protocol.CodeRateLimited, RetryAfter: wait}
	}
	for _, b := range buckets {
		if b != nil {
			b.AllowN(now, 1)
		}
	}
	return nil
}

// maxWait keeps the wait for a very low rate within what a duration can say.
const maxWait = 24 * time.Hour

// missing returns how long it takes until a bucket has a token, 0 if it has one.
func missing(b *rate.Limiter, now time.Time) time.Duration {
	tokens := b.TokensAt(now)
	if tokens >= 1 {
		return 0
	}
	seconds := (1 - tokens) / float64(b.Limit())
	if seconds >= maxWait.Seconds() {
		return maxWait
	}
	return max(1, time.Duration(math.Ceil(seconds*float64(time.Second))))
}
