package ipc

import (
	"math/rand/v2"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/backoff"
)

// How workers come and go.

// start makes a worker for a slot.
func (s *scheduler) start(now time.Time, i int) *member {
	m := &member{slot: i, begun: now, spare: true}
	s.live[m] = struct{}{}
	s.slots[i].starts++
	s.act(doSpawn, m)
	return m
}

// ready takes that a worker can have calls.
func (s *scheduler) ready(now time.Time, m *member) {
	if m.state != starting {
		return
	}
	m.state = ready
	s.wear(now, m)
	sl := &s.slots[m.slot]
	switch {
	case m == sl.current:
		s.newest = m
	case sl.current == nil || sl.current.state == starting || m.rollout == nil:
		s.takeOver(m.slot)
	}
	s.promote()
	s.advance(now, m)
}

// wear sets when the worker is to be replaced, each a little different, and pinged.
func (s *scheduler) wear(now time.Time, m *member) {
	if s.opts.MaxCalls > 0 {
		m.callLimit = uint64(lessJitter(int64(s.opts.MaxCalls)))
	}
	if s.opts.MaxAge > 0 {
		m.expires = now.Add(time.Duration(lessJitter(int64(s.opts.MaxAge))))
	}
	if s.opts.MaxMemory > 0 {
		m.measureAt = now.Add(s.opts.measureEvery)
	}
	if m.cautious {
		m.trustAt = now.Add(trustAfter)
	}
	if s.opts.PingTimeout > 0 && !s.opts.Plain {
		m.pingAt = now.Add(s.opts.pingEvery())
	}
	s.dirty = true
}

// trustAfter is how long a worker that is cautious must live to be no more.
const trustAfter = time.Second

// lessJitter returns n less up to an eighth of it, at least 1.
func lessJitter(n int64) int64 { return max(1, n-rand.N(n/8+1)) }

// takeOver makes the next worker of a slot the current one. The old one drains.
func (s *scheduler) takeOver(i int) {
	sl := &s.slots[i]
	old := sl.current
	sl.current, sl.next, sl.lost = sl.next, nil, false
	s.newest = sl.current
	if old == nil {
		return
	}
	reason := old.worn
	if reason == "" {
		reason = ExitRestart
	}
	s.drain(old, reason)
}

// usable reports whether the worker can have more calls.
func (m *member) usable() bool { return m.state == ready && m.stalledAt.IsZero() }

// hasUsable reports whether there is a worker for calls.
func (s *scheduler) hasUsable() bool {
	for i := range s.slots {
		if m := s.slots[i].current; m != nil && m.usable() {
			return true
		}
	}
	return false
}

// hasPlaces reports whether a call would get a place at some worker, now or when calls that
// somebody waits for have been answered.
func (s *scheduler) hasPlaces() bool {
	for i := range s.slots {
		m := s.slots[i].current
		if m != nil && m.usable() && !m.spare && (m.callers > 0 || !s.full(m, 1)) {
			return true
		}
	}
	return false
}

// promote lets spares have calls as far as workers are missing, and calls have those that
// can.
func (s *scheduler) promote() {
	active := 0
	for i := range s.slots {
		if m := s.slots[i].current; m != nil && m.usable() && !m.spare {
			active++
		}
	}
	for i := range s.slots {
		if m := s.slots[i].current; active < s.opts.Workers && m != nil && m.usable() && m.spare {
			m.spare = false
			active++
		}
	}
	s.dispatch()
}

// drain lets a worker take no more calls and end after those that it has.
func (s *scheduler) drain(m *member, reason ExitReason) {
	if m.state != starting && m.state != ready {
		return
	}
	if m.reason == "" {
		m.reason = reason
	}
	begun := m.state == ready
	m.state, s.dirty = draining, true
	if begun {
		s.finish(m)
		return
	}
	m.ending = true
	s.act(doKill, m)
}

// finish ends a draining worker that nobody waits for.
func (s *scheduler) finish(m *member) {
	if m.state == draining && m.callers == 0 && !m.ending {
		m.ending = true
		s.add(action{do: doStop, m: m, within: s.opts.StopTimeout})
	}
}

// lose takes that a worker takes no more calls because it is about to end, or should.
func (s *scheduler) lose(now time.Time, m *member) {
	if m.state != ready {
		return
	}
	m.state, s.dirty = draining, true
	s.vacate(now, m)
	s.finish(m)
	s.promote()
}

// checked takes whether a worker has calls that it must have answered, and when it must
// have answered the next one. If it is late its other calls go on, and a new worker takes
// its place.
func (s *scheduler) checked(now time.Time, m *member, late bool, next time.Time) {
	if m.state != ready {
		return
	}
	if !late {
		s.expect(m, next)
		return
	}
	s.vacate(now, m)
	s.drain(m, ExitTimeout)
	s.promote()
}

// vacate makes room for a new worker in the slot of one that is none any more.
func (s *scheduler) vacate(now time.Time, m *member) {
	sl := &s.slots[m.slot]
	if sl.current != m {
		return
	}
	sl.current, s.dirty = nil, true
	switch {
	case sl.next != nil && sl.next.state == ready: // its rollout is not over, but the place is free
		s.takeOver(m.slot)
	case sl.next != nil && sl.next.rollout == nil: // who was to take its place does so at once
		sl.current, sl.next = sl.next, nil
	default: // a rollout may take its time, and fail
		sl.lost = sl.next != nil
		sl.retryAt = now.Add(sl.pause.Next(now.Sub(m.begun), m.served))
	}
}

// exited takes that a worker's process has ended, and how.
func (s *scheduler) exited(now time.Time, m *member, err error) {
	unready := m.state == starting
	m.state = exited
	delete(s.live, m)
	switch {
	case m.reason != "":
	case s.ended:
		m.reason = ExitStop
	case unready:
		m.reason = ExitStart
	default:
		m.reason = ExitCrash
	}
	s.exits[m.reason]++
	s.dirty = true

	sl := &s.slots[m.slot]
	sl.lastExit = &Exit{Reason: m.reason, Time: now, State: err.Error()}
	s.vacate(now, m)
	if m == sl.next {
		sl.next = nil
		sl.retryAt = now.Add(max(backoff.FirstDelay, sl.pause.Next(now.Sub(m.begun), 0)))
		if m.rollout != nil {
			s.rollBack(m.rollout, err)
		}
	}
	s.promote()
	if wait, down := s.down(now); down && unready && wait > s.opts.QueueTimeout {
		s.turnAway(func() error { return s.refuse(now, &s.refused.Down, unavailable(errNoWorker, wait)) })
	}
}

// shutdown lets the pool take no more calls, and end when it has none or the time for
// that is over.
func (s *scheduler) shutdown(now time.Time) {
	if s.closing {
		return
	}
	s.closing, s.dirty = true, true
	s.deadline = now.Add(s.opts.StopTimeout)
	if s.rollout != nil {
		s.rollBack(s.rollout, errClosed)
	}
	s.settle(now)
}

// settle ends a closing pool that has no more calls.
func (s *scheduler) settle(now time.Time) {
	if !s.closing || s.ended || s.callers > 0 || s.queue.Len() > 0 {
		return
	}
	s.ended = true
	for m := range s.live {
		if m.state == starting {
			s.end(m, doKill, 0)
		} else { // again, if it drained: its time may have been longer
			s.end(m, doStop, s.deadline.Sub(now))
		}
	}
}

// end ends a worker with the pool.
func (s *scheduler) end(m *member, how verb, within time.Duration) {
	if m.reason == "" {
		m.reason = ExitStop
	}
	m.state, m.ending = draining, true
	s.add(action{do: how, m: m, within: within})
}

// abort ends everything at once.
func (s *scheduler) abort(now time.Time) {
	s.shutdown(now)
	if s.killed {
		return
	}
	s.ended, s.killed = true, true
	s.turnAway(func() error { return unavailable(errClosed, 0) })
	for m := range s.live {
		s.end(m, doKill, 0)
	}
}
