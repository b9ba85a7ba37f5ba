package ipc

import "time"

// ping asks a worker on the framed wire for a pong, which goes to l.pong. One that has
// not taken what was sent before gets it later, and does not answer either.
func (l *link) ping() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.say(append(l.out, `{"type":"ping","id":0}`+"\n"...))
}

// expect takes when the worker must have answered a call that nobody waits for, if it
// still has that.
func (l *link) expect(id uint64, due time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if x := l.pending[id]; x != nil {
		x.due = due
	}
}

// overdue reports whether the worker has a call that it must have answered by now, and
// when it must have answered the next one, zero if there is none.
func (l *link) overdue(now time.Time) (late bool, next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range l.pending {
		switch {
		case x.due.IsZero():
		case !now.Before(x.due):
			late = true
		case next.IsZero() || x.due.Before(next):
			next = x.due
		}
	}
	return late, next
}

// cancelAll asks a worker on the framed wire to end what it still has.
func (l *link) cancelAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, x := range l.pending {
		if !x.left && !x.cut {
			x.cut = true
			l.say(appendFramedCancel(l.out, id))
		}
	}
}
