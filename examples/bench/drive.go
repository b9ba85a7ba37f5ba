package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A tally is what became of the calls between two marks.
type tally struct {
	latency histogram
	elapsed time.Duration
	failed  atomic.Int64
	err     atomic.Pointer[error] // one of the failures
}

func (t *tally) fail(err error) {
	t.failed.Add(1)
	t.err.CompareAndSwap(nil, &err)
}

// drive puts a load on a server, for warm and then for duration, at whose beginning and
// end it calls mark. A connection that has failed is not used again.
func drive(ctx context.Context, addr string, l *load, warm, duration time.Duration, mark func() error) (*tally, error) {
	callers, err := dialAll(ctx, addr, l)
	defer func() {
		for _, c := range callers {
			_ = c.conn.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	for _, c := range callers {
		if err := c.limit(warm + duration + callTimeout); err != nil {
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, func() { // ends all calls at once
		for _, c := range callers {
			_ = c.limit(0)
		}
	})
	defer stop()
	t := &tally{}
	if len(callers) == 1 {
		err = t.alone(callers[0], warm, duration, mark)
	} else {
		err = t.together(ctx, callers, warm, duration, mark)
	}
	return t, errors.Join(err, ctx.Err())
}

// alone marks between calls, so that long ones are counted as a whole.
func (t *tally) alone(c *caller, warm, duration time.Duration, mark func() error) error {
	for _, part := range []struct {
		counts bool
		time.Duration
	}{{false, warm}, {true, duration}} {
		begin := time.Now()
		for sent := begin; sent.Sub(begin) < part.Duration; {
			if err := c.call(); err != nil {
				t.fail(err)
				return errors.Join(mark(), mark())
			}
			now := time.Now()
			if part.counts {
				t.latency.add(now.Sub(sent))
			}
			sent = now
			t.elapsed = now.Sub(begin)
		}
		if err := mark(); err != nil {
			return err
		}
	}
	return nil
}

// together counts the calls that end between the marks.
func (t *tally) together(ctx context.Context, callers []*caller, warm, duration time.Duration, mark func() error) error {
	var counts, over atomic.Bool
	var all sync.WaitGroup
	for i, c := range callers {
		all.Go(func() {
			pause(ctx, c.load.pause*time.Duration(i)/time.Duration(len(callers)))
			for first := true; first || !over.Load(); first = false { // at least once
				sent := time.Now()
				if err := c.call(); err != nil {
					t.fail(err)
					return
				}
				if counts.Load() {
					t.latency.add(time.Since(sent))
				}
			}
		})
	}
	pause(ctx, warm)
	err := mark()
	begin := time.Now()
	counts.Store(true)
	pause(ctx, duration)
	counts.Store(false)
	t.elapsed = time.Since(begin)
	err = errors.Join(err, mark())
	over.Store(true)
	all.Wait()
	return err
}

// pause ends earlier if ctx does.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// dialAll opens the connections one after the other, as servers have short queues for
// new ones. On error it returns those that there are.
func dialAll(ctx context.Context, addr string, l *load) ([]*caller, error) {
	var callers []*caller
	for range l.connections {
		c, err := dial(ctx, addr, l)
		if errors.Is(err, syscall.EMFILE) { // Go has already raised the soft limit to the hard one
			err = fmt.Errorf("%w: this needs a limit (ulimit -Hn) of %d", err, l.connections+100)
		}
		if err != nil {
			return callers, err
		}
		callers = append(callers, c)
	}
	return callers, nil
}
