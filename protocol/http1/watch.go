package http1

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"time"
)

const (
	// watchAfter is how long a call runs before anybody looks whether its caller has left.
	// Most calls are over before, and cost nothing.
	watchAfter = 20 * time.Millisecond
	// minSeen and maxSeen are how much is read of the next requests meanwhile. Whoever sends
	// more is not seen to leave.
	minSeen, maxSeen = 512, 4 << 10
)

// watcher notices that the caller of a long call has left: it reads from the connection.
type watcher struct {
	timer   *time.Timer // that starts it
	netConn net.Conn
	cancel  context.CancelFunc
	seen    []byte
	ended   chan struct{}
}

// watch begins to watch the caller of a call.
func (c *conn) watch(cancel context.CancelFunc) {
	w := &c.work.watcher
	w.netConn, w.cancel = c.netConn, cancel
	if w.timer == nil {
		w.ended = make(chan struct{}, 1)
		w.timer = time.AfterFunc(c.front.limits.watching, w.run)
		return
	}
	w.timer.Reset(c.front.limits.watching)
}

// unwatch returns what was read meanwhile.
func (c *conn) unwatch() (seen []byte) {
	w := &c.work.watcher
	if w.timer.Stop() {
		return nil
	}
	_ = w.netConn.SetReadDeadline(past)
	<-w.ended
	_ = w.netConn.SetReadDeadline(time.Time{})
	seen, w.seen = w.seen, nil
	return seen
}

func (w *watcher) run() {
	defer func() { w.ended <- struct{}{} }()
	for len(w.seen) < maxSeen {
		w.seen = slices.Grow(w.seen, minSeen)
		n, err := w.netConn.Read(w.seen[len(w.seen):cap(w.seen)])
		w.seen = w.seen[:len(w.seen)+n]
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				w.cancel()
			}
			return
		}
	}
}
