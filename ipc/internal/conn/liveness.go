package conn

import (
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
)

// Ping asks a worker on the framed wire for a pong. A worker that has not read what was sent
// before gets the ping later, and does not answer it either.
func (c *Conn) Ping() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.send(wire.AppendPing(c.out))
}

// SetDeadline sets when the worker must have answered a call that nobody waits for, if the
// call is still pending.
func (c *Conn) SetDeadline(id uint64, deadline time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.pending[id]; p != nil {
		p.deadline = deadline
	}
}

// Overdue reports whether a pending call has passed its deadline, and the next deadline, zero
// if there is none.
func (c *Conn) Overdue(now time.Time) (overdue bool, next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.pending {
		switch {
		case p.deadline.IsZero():
		case !now.Before(p.deadline):
			overdue = true
		case next.IsZero() || p.deadline.Before(next):
			next = p.deadline
		}
	}
	return overdue, next
}

// CancelAll cancels all pending calls on the framed wire.
func (c *Conn) CancelAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, p := range c.pending {
		if !p.abandoned && !p.cancelled {
			p.cancelled = true
			c.send(wire.AppendCancel(c.out, id))
		}
	}
}
