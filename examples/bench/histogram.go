package main

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// A histogram counts durations in buckets whose width is at most 1/64 of the duration.
// The zero value is empty. Add may be called concurrently.
type histogram struct {
	buckets [64 * 59]atomic.Uint32
}

func (h *histogram) add(d time.Duration) { h.buckets[bucket(uint64(max(d, 0)))].Add(1) }

// bucket is the same as the value below 128, and then the power of two and the six bits
// that follow the first.
func bucket(v uint64) int {
	shift := max(bits.Len64(v)-7, 0)
	return shift*64 + int(v>>shift)
}

// value is the middle of a bucket.
func value(bucket int) time.Duration {
	shift := max(bucket/64-1, 0)
	low := uint64(bucket-shift*64) << shift
	return time.Duration(low + (uint64(1)<<shift)/2)
}

// count is the number of durations.
func (h *histogram) count() (n int64) {
	for i := range h.buckets {
		n += int64(h.buckets[i].Load())
	}
	return n
}

// quantile is the duration that a share q of all does not exceed, 0 if there is none.
func (h *histogram) quantile(q float64) time.Duration {
	left := int64(math.Ceil(q * float64(h.count())))
	for i := range h.buckets {
		if left -= int64(h.buckets[i].Load()); left <= 0 && h.buckets[i].Load() > 0 {
			return value(i)
		}
	}
	return 0
}
