package sched

import (
	"container/list"
	"errors"
	"fmt"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// maxInFlightBytes bounds the inputs of the calls that one worker has at once, in bytes. With
// MaxQueueBytes it bounds the memory that waiting callers can claim.
const maxInFlightBytes = 64 << 20

// These are the reasons in errors with the code OVERLOADED or WORKER_UNAVAILABLE.
var (
	ErrClosed       = errors.New("ipc: the pool is closed")
	ErrNoWorker     = errors.New("ipc: no worker is running")
	ErrQueueFull    = errors.New("ipc: the queue is full")
	ErrQueueTimeout = errors.New("ipc: no worker had time")
)

// Waiter is a call that waits in the queue.
type Waiter struct {
	Assigned chan *Worker // has room for the worker, or nil: see Err
	Err      error        // why there is no worker
	Size     int          // the size of its input, in bytes
	Since    time.Time    // when it came

	place *list.Element // its place in the queue, nil when it is not there
}

// TryAcquire gets a place for a call with size bytes of input at the worker with the fewest calls.
// It returns nil if all workers are busy or calls wait already.
func (s *Scheduler) TryAcquire(size int) *Worker {
	if s.closing || s.queue.Len() > 0 {
		return nil
	}
	w := s.pick(size)
	if w != nil {
		s.assign(w, size)
	}
	return w
}

// Enqueue puts a call into the queue, or refuses it.
func (s *Scheduler) Enqueue(now time.Time, size int) (*Waiter, error) {
	if s.closing {
		return nil, s.refuse(now, &s.Refused.Closed, unavailable(ErrClosed, 0))
	}
	wait, down := s.down(now)
	full := s.queue.Len() >= s.config.MaxQueue || s.queued+size > s.config.MaxQueueBytes
	if down && (full || wait > s.config.QueueTimeout) {
		return nil, s.refuse(now, &s.Refused.NoWorker, unavailable(ErrNoWorker, wait))
	}
	if full {
		return nil, s.refuse(now, &s.Refused.QueueFull, &protocol.Error{Code: protocol.CodeOverloaded, Err: ErrQueueFull})
	}
	w := &Waiter{Assigned: make(chan *Worker, 1), Size: size, Since: now}
	w.place = s.queue.PushBack(w)
	s.queued += size
	return w, nil
}

// Dequeue removes a call from the queue. It reports false if the call has got a worker, or was
// refused, a moment ago.
func (s *Scheduler) Dequeue(w *Waiter) bool {
	if w.place == nil {
		return false
	}
	s.remove(w)
	s.dispatch() // there may be room for the calls behind it
	s.dirty = s.dirty || s.closing
	return true
}

// Expire refuses a call that has waited for too long and was removed from the queue.
func (s *Scheduler) Expire(now time.Time) error {
	if !s.hasAvailable() {
		wait, _ := s.down(now)
		return s.refuse(now, &s.Refused.NoWorker, unavailable(ErrNoWorker, wait))
	}
	reason := fmt.Errorf("%w within %v", ErrQueueTimeout, s.config.QueueTimeout)
	return s.refuse(now, &s.Refused.QueueTimeout, &protocol.Error{Code: protocol.CodeOverloaded, Err: reason})
}

// refuse counts an error for a caller. The log gets the sum every reportEvery.
func (s *Scheduler) refuse(now time.Time, counter *uint64, err error) error {
	*counter++
	if s.reportAt.IsZero() {
		s.reportAt, s.dirty = now, true
	}
	return err
}

func unavailable(reason error, retryAfter time.Duration) error {
	return &protocol.Error{Code: protocol.CodeWorkerUnavailable, RetryAfter: retryAfter, Err: reason}
}

// refuseAll empties the queue. Each call gets an error of its own.
func (s *Scheduler) refuseAll(reason func() error) {
	for place := s.queue.Front(); place != nil; place = s.queue.Front() {
		w := s.remove(place.Value.(*Waiter))
		w.Err = reason()
		w.Assigned <- nil
	}
}

func (s *Scheduler) remove(w *Waiter) *Waiter {
	s.queue.Remove(w.place)
	w.place = nil
	s.queued -= w.Size
	return w
}

// dispatch gives places to the calls that wait longest.
func (s *Scheduler) dispatch() {
	for place := s.queue.Front(); place != nil; place = s.queue.Front() {
		waiter := place.Value.(*Waiter)
		w := s.pick(waiter.Size)
		if w == nil {
			return
		}
		s.remove(waiter)
		s.assign(w, waiter.Size)
		waiter.Assigned <- w
	}
}

// pick returns the worker for the next call, nil if all are busy.
func (s *Scheduler) pick(size int) *Worker {
	var best *Worker
	for i := range s.slots {
		w := s.slots[i].current
		if w == nil || w.spare || !w.available() || s.full(w, size) {
			continue
		}
		if best == nil || w.InFlight < best.InFlight {
			best = w
		}
	}
	return best
}

// slowStartPart is the number of answers after which a worker in slow start gets one more call at
// once.
const slowStartPart = 16

// full reports whether a worker has no place for a call.
func (s *Scheduler) full(w *Worker, size int) bool {
	return w.InFlight >= s.config.Concurrency || w.InFlight > 0 && w.bytes+size > maxInFlightBytes ||
		w.slowStart && uint64(w.InFlight) > w.Served/slowStartPart
}

// available reports whether the worker can get calls.
func (w *Worker) available() bool { return w.state == ready && w.stalledAt.IsZero() }

// hasAvailable reports whether there is a worker for calls.
func (s *Scheduler) hasAvailable() bool {
	for i := range s.slots {
		if w := s.slots[i].current; w != nil && w.available() {
			return true
		}
	}
	return false
}

// HasPlaces reports whether a call would get a place at some worker, now or when calls whose
// callers wait have been answered.
func (s *Scheduler) HasPlaces() bool {
	for i := range s.slots {
		w := s.slots[i].current
		if w != nil && w.available() && !w.spare && (w.callers > 0 || !s.full(w, 1)) {
			return !s.closing
		}
	}
	return false
}

// down reports whether every slot waits to start a worker again, and the shortest of these waits.
func (s *Scheduler) down(now time.Time) (wait time.Duration, down bool) {
	for i := range s.slots {
		sl := &s.slots[i]
		pause := sl.retryAt.Sub(now)
		if sl.current != nil || sl.next != nil || pause <= 0 {
			return 0, false
		}
		if i == 0 || pause < wait {
			wait = pause
		}
	}
	return wait, true
}

func (s *Scheduler) assign(w *Worker, size int) {
	w.InFlight++
	w.bytes += size
	w.callers++
	s.callers++
}

// Complete ends a call whose caller has the answer.
func (s *Scheduler) Complete(w *Worker, size int, failed bool) {
	w.Served++
	s.Served++
	if failed {
		w.Failed++
		s.Failed++
	}
	if w.callLimit > 0 && w.Served >= w.callLimit {
		s.recycle(w, Calls)
	}
	s.Withdraw(w, size)
}

// Withdraw ends a call that the worker has not received.
func (s *Scheduler) Withdraw(w *Worker, size int) {
	s.Release(w, size)
	s.Abandon(w, time.Time{})
}

// Abandon notes that the caller of a call does not wait any more. The call keeps its place until
// Release, which must come until due, unless that is zero. The two may come in either order.
func (s *Scheduler) Abandon(w *Worker, due time.Time) {
	w.callers--
	s.callers--
	s.expectAnswer(w, due)
	if w.state == draining {
		s.stopIfIdle(w)
	}
	s.dirty = s.dirty || s.closing
}

// Release frees the place of an abandoned call.
func (s *Scheduler) Release(w *Worker, size int) {
	w.InFlight--
	w.bytes -= size
	if s.queue.Len() > 0 {
		s.dispatch()
	}
}

// expectAnswer notes when an abandoned call must have been answered, unless that is zero. The
// scheduler keeps only the earliest of these times: Check finds the others.
func (s *Scheduler) expectAnswer(w *Worker, due time.Time) {
	if !due.IsZero() && (w.answerBy.IsZero() || due.Before(w.answerBy)) {
		w.answerBy, s.dirty = due, true
	}
}
