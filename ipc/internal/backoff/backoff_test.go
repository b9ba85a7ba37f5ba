package backoff

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestBackoff(t *testing.T) {
	var b Backoff
	assert.Zero(t, b.Next(time.Second, 0), "the first restart is immediate")
	for _, want := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond} {
		got := b.Next(time.Second, 0)
		assert.GreaterOrEqual(t, got, want)
		assert.Less(t, got, want+want/4)
	}
	for range 1000 {
		assert.LessOrEqual(t, b.Next(0, 0), MaxDelay)
	}
	assert.Equal(t, MaxDelay, b.Next(59*time.Second, 0))
	assert.Zero(t, b.Next(healthyAge, 0), "a long life starts over")
	assert.Positive(t, b.Next(0, HealthyCalls-1))
	for range 10 {
		b.Next(0, 0)
	}
	for range 10 {
		assert.Less(t, b.Next(0, 1), 2*FirstDelay, "one that has answered is tried soon")
	}
	assert.Zero(t, b.Next(0, HealthyCalls), "so does a useful one")
}

func TestBackoffBoundsTheStartsOfACrashLoop(t *testing.T) {
	for range 100 {
		var b Backoff
		starts := 1
		for passed := time.Duration(0); passed < time.Minute; starts++ {
			passed += b.Next(0, 0)
		}
		assert.LessOrEqual(t, starts, 12)
	}
}
