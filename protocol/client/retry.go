package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// Retry configures how often a call is tried. Its zero value is valid.
type Retry struct {
	// Attempts is the largest number of attempts, with the first one. Zero or negative means 3.
	Attempts int
	// Delay is the mean time before the second attempt; it doubles for each further one.
	// Zero or negative means 100 ms.
	Delay time.Duration
	// MaxDelay is the longest wait. If the server asks for a longer one, the call is not tried
	// again. Zero or negative means 10 s; the maximum is an hour.
	MaxDelay time.Duration
}

// WithRetry tries the call again if there was no answer, or an answer with status 429, 502, 503 or
// 504. Use it for calls that may run twice: in most of these cases it is not known whether the
// task has run. Waits are random, between half and one and a half times the delay, or longer if
// Retry-After says so. There is no wait beyond the context's deadline. The error is that of the
// last attempt. Calls with files or a stream are never tried again, since their readers are used
// up.
func WithRetry(retry Retry) Option {
	if retry.Attempts <= 0 {
		retry.Attempts = 3
	}
	if retry.Delay <= 0 {
		retry.Delay = 100 * time.Millisecond
	}
	if retry.MaxDelay <= 0 {
		retry.MaxDelay = 10 * time.Second
	}
	retry.MaxDelay = min(retry.MaxDelay, time.Hour)
	return func(r *request) { r.retry = &retry }
}

// wait waits after attempt, counted from 1, has failed, and reports whether the call may be tried
// again.
func (p *Retry) wait(ctx context.Context, attempt int, failed *Error) bool {
	if p == nil || attempt >= p.Attempts || !temporary(failed) {
		return false
	}
	delay := max(p.delay(attempt), failed.RetryAfter)
	if deadline, ok := ctx.Deadline(); failed.RetryAfter > p.MaxDelay || ok && time.Until(deadline) <= delay {
		return false
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// delay returns the time to wait after an attempt, unless the server has asked for a longer one.
func (p *Retry) delay(attempt int) time.Duration {
	mean := p.Delay
	for ; attempt > 1 && mean < p.MaxDelay; attempt-- {
		mean *= 2
	}
	mean = min(mean, p.MaxDelay)
	return min(mean/2+rand.N(mean+1), p.MaxDelay)
}

// temporary reports whether another attempt may succeed.
func temporary(err *Error) bool {
	switch err.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	var transport *TransportError
	return errors.As(err, &transport)
}

// retryAfter returns the time in the header Retry-After, 0 if there is none.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		const maxSeconds = 365 * 24 * 60 * 60 // longer times make no difference
		return time.Duration(min(seconds, maxSeconds)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(time.Until(date), 0)
	}
	return 0
}
