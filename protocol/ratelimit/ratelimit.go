// Package ratelimit refuses calls that come too often: of all callers together, for one id, or of
// one caller.
//
//	limiter := ratelimit.New(ratelimit.Config{
//		Global: ratelimit.Limit{PerSecond: 1000},
//		PerKey: ratelimit.Limit{PerSecond: 5, Burst: 20},
//		Key:    ratelimit.Identity, // or Address, or Forwarded behind a proxy
//	})
//	config.Middleware = []tunnel.Middleware{tunnel.Check(limiter.Check)}
//
// It counts in this process, and only authenticated calls: use HTTP middleware to limit requests
// that fail to authenticate.
package ratelimit

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Limit is the rate of calls that are allowed.
type Limit struct {
	// PerSecond is the rate in the long run. Zero or less means no limit.
	PerSecond float64
	// Burst is the number of calls that may come at once after a pause. Zero or less means the
	// calls of a second, at least 1.
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

// Config has the limits of a Limiter. A call must be within all of them; a refused call does not
// count for any.
type Config struct {
	// Global bounds all calls together.
	Global Limit
	// PerID bounds tasks and events by id. Other ids have no limit of their own.
	PerID map[string]Limit
	// PerKey bounds the calls of each caller. Key distinguishes callers: see Identity, Address and
	// Forwarded. It is called concurrently. Nil means no such limit.
	PerKey Limit
	Key    func(call *protocol.Call) string
	// MaxKeys is the number of callers that are remembered. The caller that was not seen for the
	// longest time is forgotten first, and then has its burst again. Zero or less means 10,000.
	MaxKeys int
}

// Limiter counts calls. New makes a Limiter. It is safe for concurrent use, and starts no
// goroutine.
type Limiter struct {
	key func(call *protocol.Call) string
	now func() time.Time

	mu     sync.Mutex // held while all limits of a call are checked
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
		keys:   keys{limit: cfg.PerKey, capacity: cfg.MaxKeys},
	}
	for id, limit := range cfg.PerID {
		l.perID[id] = limit.bucket()
	}
	if l.keys.capacity <= 0 {
		l.keys.capacity = 10_000
	}
	return l
}

// Check counts a call, for tunnel.Check. The error is 429 RATE_LIMITED; its RetryAfter is the time
// after which the call would be within all limits.
func (l *Limiter) Check(_ context.Context, call *protocol.Call) error {
	key := ""
	if l.key != nil {
		key = l.key(call) // not under the lock: it may take long
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

// maxWait keeps the wait for a very low rate within the range of a duration.
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
