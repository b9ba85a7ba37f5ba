// Package backoff delays the restarts of a process that ends again and again.
package backoff

import (
	"math/rand/v2"
	"time"
)

const (
	// FirstDelay is the wait before the second restart.
	FirstDelay = 100 * time.Millisecond
	// MaxDelay bounds the wait before any restart.
	MaxDelay = 30 * time.Second
	// A process was healthy if it has lived so long or answered so many calls. Its end then counts
	// as the first one.
	healthyAge   = 60 * time.Second
	HealthyCalls = 100
	// A process that has answered any call is restarted soon: one caller's calls may have ended it,
	// and the others need it.
	provenRestarts = 1
)

// Backoff computes the pauses before the restarts of one process: the first is immediate, the next
// one waits 0.1 s, and the pause doubles up to 30 s while no process answers a call. The zero value
// is ready to use.
type Backoff struct{ restarts int }

// Restarts returns the number of restarts since the last healthy process.
func (b *Backoff) Restarts() int { return b.restarts }

// Next returns the pause after a process that has lived for lifetime, 0 if it did not start, and has
// answered so many calls.
func (b *Backoff) Next(lifetime time.Duration, served uint64) time.Duration {
	if lifetime >= healthyAge || served >= HealthyCalls {
		b.restarts = 0
	} else if served > 0 {
		b.restarts = min(b.restarts, provenRestarts)
	}
	b.restarts++
	if b.restarts == 1 {
		return 0
	}
	delay := FirstDelay << min(b.restarts-2, 16)
	// Upwards only, so that the number of starts in a time keeps its bound.
	return min(MaxDelay, delay+rand.N(delay/4))
}
