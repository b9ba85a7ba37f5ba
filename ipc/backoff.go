package ipc

import (
	"math/rand/v2"
	"time"
)

const (
	firstDelay = 100 * time.Millisecond
	maxDelay   = 30 * time.Second
	// healthyAfter is how long a worker must have lived for its end to count as the
	// first one.
	healthyAfter = 60 * time.Second
)

// backoff spaces the restarts of one worker: the first is immediate, then they wait
// 0.1 s doubling to 30 s. The zero value is ready to use.
type backoff struct{ restarts int }

// next returns how long to wait after a worker that has lived for lifetime, 0 for
// one that did not even start.
func (b *backoff) next(lifetime time.Duration) time.Duration {
	if lifetime >= healthyAfter {
		b.restarts = 0
	}
	b.restarts++
	if b.restarts == 1 {
		return 0
	}
	delay := firstDelay << min(b.restarts-2, 16)
	// Upwards only, so that the number of starts in a time keeps its bound.
	return min(maxDelay, delay+rand.N(delay/4))
}
