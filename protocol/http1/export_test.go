package http1

import (
	"net"
	"net/http"
	"time"

	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// What tests wait for.
const (
	Patience   = patience
	WatchAfter = watchAfter
)

// ListenWithin is Listen with other limits of time.
func ListenWithin(ln net.Listener, handler Handler, server *http.Server, park, idle, stall, total time.Duration) *Front {
	const tick = time.Millisecond
	l := newLimits(idle, total)
	l.tick = tick
	l.park, l.idle, l.stall, l.total = int64(park/tick), int64(idle/tick), int64(stall/tick), int64(total/tick)
	f := newFront(ln, handler, server, l)
	f.start()
	return f
}

// Room returns how much memory the connection of x has for input.
func Room(x serve.Exchange) int { return cap(x.(*exchange).conn.in) }

// Parked returns how many of them have no buffers.
func (f *Front) Parked() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		c.mu.Lock()
		if c.phase == parked {
			n++
		}
		c.mu.Unlock()
	}
	return n
}
