package ipc

import (
	"math/rand/v2"
	"time"
)

const (
	firstDelay = 100 * time.Millisecond
	maxDelay   = 30 * time.Second
	// A worker was healthy, so that its end counts as the first one, if it has lived so
	// long or answered so many calls.
	healthyAge   = 60 * time.Second
	healthyCalls = 100
	// A worker that has answered any is worth a try soon: what ends it may be what one
	// caller sends, and the others need it.
	provenRestarts = 1
)

// backoff spaces the restarts of one worker: the first is immediate, then they wait
// 0.1 s, doubling to 30 s while no worker answers a call. The zero value is ready to use.
type backoff struct{ restarts int }

// next returns how long to wait after a worker that has lived for lifetime, 0 for
// one that did not even start, and answered so many calls.
func (b *backoff) next(lifetime time.Duration, served uint64) time.Duration {
	if lifetime >= healthyAge || served >= healthyCalls {
		b.restarts = 0
	} else if served > 0 {
		b.restarts = min(b.restarts, provenRestarts)
	}
	b.restarts++
	if b.restarts == 1 {
		return 0
	}
	delay := firstDelay << min(b.restarts-2, 16)
	// Upwards only, so that the number of starts in a time keeps its bound.
	return min(maxDelay, delay+rand.N(delay/4))
}
