package ipc

import (
	"context"
	"time"
)

// acquire gets a place at a worker for a call with size bytes of input. It waits until
// *until at most, which it sets if that is zero and it has to wait.
func (p *Pool) acquire(ctx context.Context, size int, until *time.Time) (*member, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	if m := p.s.acquire(size); m != nil {
		p.mu.Unlock()
		return m, nil
	}
	now := time.Now()
	w, err := p.s.enqueue(now, size)
	p.unlock()
	if err != nil {
		return nil, err
	}
	if until.IsZero() {
		*until = now.Add(p.opts.QueueTimeout)
	}
	return p.await(ctx, w, *until)
}

// await waits for the place of a call in the queue.
func (p *Pool) await(ctx context.Context, w *waiter, until time.Time) (*member, error) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case m := <-w.assigned:
		return p.placed(ctx, w, m)
	case <-ctx.Done():
	case <-timer.C:
	}
	p.mu.Lock()
	if !p.s.quit(w) {
		p.mu.Unlock()
		return p.placed(ctx, w, <-w.assigned)
	}
	defer p.unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, p.s.late(time.Now())
}

// placed takes the place that a call has waited for.
func (p *Pool) placed(ctx context.Context, w *waiter, m *member) (*member, error) {
	if m == nil {
		return nil, w.err
	}
	p.waits.Add(1)
	p.waited.Add(uint64(time.Since(w.since)))
	if err := ctx.Err(); err != nil { // its caller has left just now: no worker is to see it
		p.giveBack(m, w.bytes)
		return nil, err
	}
	return m, nil
}

// giveBack takes back the place of a call that its worker has not seen.
func (p *Pool) giveBack(m *member, size int) {
	p.mu.Lock()
	defer p.unlock()
	p.s.free(m, size)
	p.s.leave(m, time.Time{})
}

// takeBack takes back the place of a call whose answer came when ask had returned,
// because its caller had left or because it is a stream.
func (p *Pool) takeBack(m *member, size int, left bool) {
	p.mu.Lock()
	defer p.unlock()
	if left {
		p.s.free(m, size)
	} else {
		p.s.release(m, size, false)
	}
}
