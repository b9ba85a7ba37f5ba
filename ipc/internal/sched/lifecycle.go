package sched

import (
	"math/rand/v2"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/backoff"
)

// start makes a worker for a slot.
func (s *Scheduler) start(now time.Time, i int) *Worker {
	w := &Worker{Slot: i, Began: now, spare: true}
	s.live[w] = struct{}{}
	s.slots[i].starts++
	s.act(Start, w)
	return w
}

// Ready notes that a worker can get calls.
func (s *Scheduler) Ready(now time.Time, w *Worker) {
	if w.state != starting {
		return
	}
	w.state = ready
	s.setTimes(now, w)
	sl := &s.slots[w.Slot]
	switch {
	case w == sl.current:
		s.newest = w
	case sl.current == nil || sl.current.state == starting || w.rollout == nil:
		s.switchOver(w.Slot)
	}
	s.activate()
	s.advance(now, w)
}

// setTimes sets when a ready worker is recycled, each a little different, and when it is pinged.
func (s *Scheduler) setTimes(now time.Time, w *Worker) {
	if s.config.MaxCalls > 0 {
		w.callLimit = uint64(lessJitter(int64(s.config.MaxCalls)))
	}
	if s.config.MaxAge > 0 {
		w.expires = now.Add(time.Duration(lessJitter(int64(s.config.MaxAge))))
	}
	if s.config.MaxMemory > 0 {
		w.measureAt = now.Add(s.config.MeasureEvery)
	}
	if w.slowStart {
		w.slowStartEnds = now.Add(slowStartTime)
	}
	if s.config.PingTimeout > 0 {
		w.pingAt = now.Add(s.config.pingInterval())
	}
	s.dirty = true
}

// slowStartTime bounds the slow start of a worker.
const slowStartTime = time.Second

// lessJitter returns n minus up to an eighth of it, at least 1.
func lessJitter(n int64) int64 { return max(1, n-rand.N(n/8+1)) }

// switchOver makes the next worker of a slot the current one. The old one drains.
func (s *Scheduler) switchOver(i int) {
	sl := &s.slots[i]
	old := sl.current
	sl.current, sl.next, sl.missing = sl.next, nil, false
	s.newest = sl.current
	if old == nil {
		return
	}
	reason := old.recycle
	if reason == "" {
		reason = Restart
	}
	s.retire(old, reason)
}

// activate makes spare workers take calls while workers are missing, and dispatches.
func (s *Scheduler) activate() {
	active := 0
	for i := range s.slots {
		if w := s.slots[i].current; w != nil && w.available() && !w.spare {
			active++
		}
	}
	for i := range s.slots {
		if w := s.slots[i].current; active < s.config.Workers && w != nil && w.available() && w.spare {
			w.spare = false
			active++
		}
	}
	s.dispatch()
}

// retire drains a worker that the scheduler wants to end, or kills it if it is not ready.
func (s *Scheduler) retire(w *Worker, reason Reason) {
	if w.state != starting && w.state != ready {
		return
	}
	if w.reason == "" {
		w.reason = reason
	}
	wasReady := w.state == ready
	w.state, s.dirty = draining, true
	if wasReady {
		s.stopIfIdle(w)
		return
	}
	w.ending = true
	s.act(Kill, w)
}

// stopIfIdle stops a draining worker when no caller waits for it.
func (s *Scheduler) stopIfIdle(w *Worker) {
	if w.state == draining && w.callers == 0 && !w.ending {
		w.ending = true
		s.add(Action{Do: Stop, Worker: w, Within: s.config.StopTimeout})
	}
}

// Drain notes that a worker gets no more calls because it is about to end, or asks for it.
func (s *Scheduler) Drain(now time.Time, w *Worker) {
	if w.state != ready {
		return
	}
	w.state, s.dirty = draining, true
	s.detach(now, w)
	s.stopIfIdle(w)
	s.activate()
}

// Checked notes whether a worker has calls that are overdue, and when the next call is due, zero
// for never. An overdue worker keeps its other calls and is replaced.
func (s *Scheduler) Checked(now time.Time, w *Worker, overdue bool, next time.Time) {
	if w.state != ready {
		return
	}
	if !overdue {
		s.expectAnswer(w, next)
		return
	}
	s.detach(now, w)
	s.retire(w, Timeout)
	s.activate()
}

// detach removes a worker that gets no more calls from its slot.
func (s *Scheduler) detach(now time.Time, w *Worker) {
	sl := &s.slots[w.Slot]
	if sl.current != w {
		return
	}
	sl.current, s.dirty = nil, true
	switch {
	case sl.next != nil && sl.next.state == ready: // its rollout goes on, but the place is free
		s.switchOver(w.Slot)
	case sl.next != nil && sl.next.rollout == nil: // the replacement of a recycling becomes current at once
		sl.current, sl.next = sl.next, nil
	default: // a rollout may take long, and fail
		sl.missing = sl.next != nil
		sl.retryAt = now.Add(sl.backoff.Next(now.Sub(w.Began), w.Served))
	}
}

// Exited notes that the process of a worker has ended with an error, and returns the reason.
func (s *Scheduler) Exited(now time.Time, w *Worker, err error) Reason {
	unready := w.state == starting
	w.state = exited
	delete(s.live, w)
	switch {
	case w.reason != "":
	case s.ended:
		w.reason = PoolStop
	case unready:
		w.reason = StartFailed
	default:
		w.reason = Crash
	}
	s.Exits[w.reason]++
	s.dirty = true

	sl := &s.slots[w.Slot]
	sl.lastExit = &Exit{Reason: w.reason, Time: now, State: err.Error()}
	s.detach(now, w)
	if w == sl.next {
		sl.next = nil
		sl.retryAt = now.Add(max(backoff.FirstDelay, sl.backoff.Next(now.Sub(w.Began), 0)))
		if w.rollout != nil {
			s.RollBack(w.rollout, err)
		}
	}
	s.activate()
	if wait, down := s.down(now); down && unready && wait > s.config.QueueTimeout {
		s.refuseAll(func() error { return s.refuse(now, &s.Refused.NoWorker, unavailable(ErrNoWorker, wait)) })
	}
	return w.reason
}

// Shutdown refuses further calls. The workers end when they have no more calls, or StopTimeout is
// over.
func (s *Scheduler) Shutdown(now time.Time) {
	if s.closing {
		return
	}
	s.closing, s.dirty = true, true
	s.deadline = now.Add(s.config.StopTimeout)
	if s.rollout != nil {
		s.RollBack(s.rollout, ErrClosed)
	}
	s.endIfIdle(now)
}

// endIfIdle ends the workers of a closing pool that has no more calls.
func (s *Scheduler) endIfIdle(now time.Time) {
	if !s.closing || s.ended || s.callers > 0 || s.queue.Len() > 0 {
		return
	}
	s.ended = true
	for w := range s.live {
		if w.state == starting {
			s.end(w, Kill, 0)
		} else { // also a draining one: its time may have been longer
			s.end(w, Stop, s.deadline.Sub(now))
		}
	}
}

// end ends a worker with the pool.
func (s *Scheduler) end(w *Worker, how Verb, within time.Duration) {
	if w.reason == "" {
		w.reason = PoolStop
	}
	w.state, w.ending = draining, true
	s.add(Action{Do: how, Worker: w, Within: within})
}

// Abort ends everything at once.
func (s *Scheduler) Abort(now time.Time) {
	s.Shutdown(now)
	if s.killed {
		return
	}
	s.ended, s.killed = true, true
	s.refuseAll(func() error { return unavailable(ErrClosed, 0) })
	for w := range s.live {
		s.end(w, Kill, 0)
	}
}
