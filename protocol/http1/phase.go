package http1

import (
	"context"
	"time"
)

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// enter begins to wait for a request. It reports false if the Front stops.
func (c *conn) enter(next phase) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.front.stopping.Load() || c.gone {
		return false
	}
	c.phase = next
	if next == idle { // a parked connection was idle before
		c.since = c.front.ticks.Load()
	}
	return true
}

// leave ends a phase. It reports whether a deadline was set to end it. None is set later.
func (c *conn) leave() (stopped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stopped = c.stopped
	c.phase, c.stopped, c.cancel = active, false, nil
	return stopped
}

// enterCall begins a call. It reports false if the connection was closed.
func (c *conn) enterCall(cancel context.CancelFunc) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.cancel = calling, cancel
	c.called = c.front.ticks.Load()
	return !c.gone
}

// move goes from a phase of a call to another one.
func (c *conn) move(from, to phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == from {
		c.phase, c.since = to, c.front.ticks.Load()
	}
}

// hand begins to hand the connection over. It is not closed from outside any more. It reports
// false if it was.
func (c *conn) hand() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase = handing
	return !c.gone
}

// end cancels the context of the call.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
}

// look ends what has taken too long by now.
func (c *conn) look(now int64, l *limits) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	waited := now - c.since
	switch c.phase {
	case idle:
		if waited > min(l.park, l.idle) { // to be parked, or closed soon after
			c.last = nil
			c.stop(c.netConn.SetReadDeadline)
		}
	case parked:
		if waited > l.idle {
			c.stop(c.netConn.SetReadDeadline)
		}
	case calling, sending:
		if l.total > 0 && now-c.called > l.total || c.phase == sending && waited > l.stall {
			c.stop(c.netConn.SetWriteDeadline)
		}
	}
}

// interrupt ends the wait for a request. The Front stops.
func (c *conn) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == idle || c.phase == parked {
		c.stop(c.netConn.SetReadDeadline)
	}
}

func (c *conn) stop(setDeadline func(time.Time) error) {
	c.stopped = true
	_ = setDeadline(past)
}

// abandon closes the connection and cancels its call. What is handed over belongs to others,
// or waits for Close.
func (c *conn) abandon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == handing {
		return
	}
	c.gone = true
	if c.cancel != nil {
		c.cancel()
	}
	_ = c.netConn.Close()
}
