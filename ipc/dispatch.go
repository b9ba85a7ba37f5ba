package ipc

import (
	"container/list"
	"errors"
	"fmt"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// maxInFlightBytes bounds the inputs that one worker has at once, in bytes, together
// with MaxQueueBytes the memory that waiting callers can claim.
const maxInFlightBytes = 64 << 20

var (
	errClosed   = errors.New("ipc: the pool is closed")
	errNoWorker = errors.New("ipc: no worker is running")
)

// waiter is a call that waits for a worker.
type waiter struct {
	assigned chan *member  // has room for the one that it gets; nil says that there is none, see err
	err      error         // why
	bytes    int           // of its input
	since    time.Time     // when it came
	place    *list.Element // in the queue, nil when it is not there
}

// acquire gets a place at the worker with the fewest calls for one with size bytes of
// input, nil if all are busy or calls wait already.
func (s *scheduler) acquire(size int) *member {
	if s.closing || s.queue.Len() > 0 {
		return nil
	}
	m := s.pick(size)
	if m != nil {
		s.assign(m, size)
	}
	return m
}

// enqueue lets a call wait, or says why it cannot.
func (s *scheduler) enqueue(now time.Time, size int) (*waiter, error) {
	if s.closing {
		return nil, s.refuse(now, &s.refused.Closed, unavailable(errClosed, 0))
	}
	wait, down := s.down(now)
	full := s.queue.Len() >= s.opts.MaxQueue || s.queued+size > s.opts.MaxQueueBytes
	if down && (full || wait > s.opts.QueueTimeout) {
		return nil, s.refuse(now, &s.refused.Down, unavailable(errNoWorker, wait))
	}
	if full {
		return nil, s.refuse(now, &s.refused.Full, overloaded("ipc: the queue is full"))
	}
	w := &waiter{assigned: make(chan *member, 1), bytes: size, since: now}
	w.place = s.queue.PushBack(w)
	s.queued += size
	return w, nil
}

// refuse counts an error for a caller. The log gets the sum now and then.
func (s *scheduler) refuse(now time.Time, counter *uint64, err error) error {
	*counter++
	if s.reportAt.IsZero() {
		s.reportAt, s.dirty = now, true
	}
	return err
}

// late refuses a call that has waited for too long.
func (s *scheduler) late(now time.Time) error {
	if !s.hasUsable() {
		wait, _ := s.down(now)
		return s.refuse(now, &s.refused.Down, unavailable(errNoWorker, wait))
	}
	return s.refuse(now, &s.refused.Late, overloaded(fmt.Sprintf("ipc: no worker had time within %v", s.opts.QueueTimeout)))
}

func overloaded(reason string) error {
	return &protocol.Error{Code: protocol.CodeOverloaded, Err: errors.New(reason)}
}

func unavailable(reason error, retryAfter time.Duration) error {
	return &protocol.Error{Code: protocol.CodeWorkerUnavailable, RetryAfter: retryAfter, Err: reason}
}

// quit takes a call out of the queue. It reports false if that has got a place, or the
// word that there is none, a moment ago.
func (s *scheduler) quit(w *waiter) bool {
	if w.place == nil {
		return false
	}
	s.dequeue(w)
	s.dispatch() // there may have been room for those behind it
	s.dirty = s.dirty || s.closing
	return true
}

// turnAway takes all calls out of the queue, each with an error of its own.
func (s *scheduler) turnAway(reason func() error) {
	for place := s.queue.Front(); place != nil; place = s.queue.Front() {
		w := s.dequeue(place.Value.(*waiter))
		w.err = reason()
		w.assigned <- nil
	}
}

func (s *scheduler) dequeue(w *waiter) *waiter {
	s.queue.Remove(w.place)
	w.place = nil
	s.queued -= w.bytes
	return w
}

// pick returns the worker to give a call to, nil if all are busy.
func (s *scheduler) pick(size int) *member {
	var best *member
	for i := range s.slots {
		m := s.slots[i].current
		if m == nil || m.spare || !m.usable() || s.full(m, size) {
			continue
		}
		if best == nil || m.inFlight < best.inFlight {
			best = m
		}
	}
	return best
}

// cautionPart is how many calls a cautious worker must answer for one more at once.
const cautionPart = 16

// full reports whether a worker has no place for a call.
func (s *scheduler) full(m *member, size int) bool {
	return m.inFlight >= s.opts.Concurrency || m.inFlight > 0 && m.bytes+size > maxInFlightBytes ||
		m.cautious && uint64(m.inFlight) > m.served/cautionPart
}

// down reports whether every slot waits to start a worker again, and how long the
// first of them still does.
func (s *scheduler) down(now time.Time) (wait time.Duration, down bool) {
	for i := range s.slots {
		sl := &s.slots[i]
		left := sl.retryAt.Sub(now)
		if sl.current != nil || sl.next != nil || left <= 0 {
			return 0, false
		}
		if i == 0 || left < wait {
			wait = left
		}
	}
	return wait, true
}

func (s *scheduler) assign(m *member, size int) {
	m.inFlight++
	m.bytes += size
	m.callers++
	s.callers++
}

// release takes a place at a worker back whose caller has got its answer.
func (s *scheduler) release(m *member, size int, failed bool) {
	m.served++
	s.served++
	if failed {
		m.failed++
		s.failed++
	}
	if m.callLimit > 0 && m.served >= m.callLimit && m.worn == "" {
		m.worn = ExitCalls
		s.dirty = true
	}
	s.free(m, size)
	s.leave(m, time.Time{})
}

// free takes a place at a worker back that nobody waits for.
func (s *scheduler) free(m *member, size int) {
	m.inFlight--
	m.bytes -= size
	if s.queue.Len() > 0 {
		s.dispatch()
	}
}

// leave takes that nobody waits for a call any more. Its place stays taken until the
// worker is done with it, which must be the case until due, unless that is zero. The two may
// come in either order.
func (s *scheduler) leave(m *member, due time.Time) {
	m.callers--
	s.callers--
	s.expect(m, due)
	if m.state == draining {
		s.finish(m)
	}
	s.dirty = s.dirty || s.closing
}

// expect takes when a call that nobody waits for must have been answered, if that is not
// zero. Of all such calls the worker is asked: the scheduler knows the first time alone.
func (s *scheduler) expect(m *member, due time.Time) {
	if !due.IsZero() && (m.checkAt.IsZero() || due.Before(m.checkAt)) {
		m.checkAt, s.dirty = due, true
	}
}

// dispatch gives places to those who wait longest.
func (s *scheduler) dispatch() {
	for place := s.queue.Front(); place != nil; place = s.queue.Front() {
		w := place.Value.(*waiter)
		m := s.pick(w.bytes)
		if m == nil {
			return
		}
		s.dequeue(w)
		s.assign(m, w.bytes)
		w.assigned <- m
	}
}
