package ipc

import "time"

// reportEvery is how often refusals are logged at most.
const reportEvery = 10 * time.Second

// tick does what is due, and sets wakeAt to when there is something again.
func (s *scheduler) tick(now time.Time) {
	s.wakeAt = time.Time{}
	s.settle(now)
	if s.closing && !s.killed && s.due(now, s.deadline) {
		s.abort(now)
	}
	for m := range s.live {
		s.watch(now, m)
	}
	if s.due(now, s.reportAt) {
		s.reportAt = time.Time{}
		if s.refused != s.reported {
			s.reportAt = now.Add(reportEvery)
			s.act(doReport, nil)
		}
		s.due(now, s.reportAt)
	}
	if !s.ended {
		s.fill(now)
	}
	s.dirty = false
}

// due reports whether the time has come. If not, tick is to be called then. The zero
// time never comes.
func (s *scheduler) due(now, at time.Time) bool {
	if at.IsZero() {
		return false
	}
	if !now.Before(at) {
		return true
	}
	if s.wakeAt.IsZero() || at.Before(s.wakeAt) {
		s.wakeAt = at
	}
	return false
}

// fill starts workers for empty slots, and one at a time in place of a worn one.
func (s *scheduler) fill(now time.Time) {
	replacing := s.rollout != nil
	for i := range s.slots {
		replacing = replacing || s.slots[i].next != nil
	}
	for i := range s.slots {
		sl := &s.slots[i]
		missing := sl.current == nil && (sl.next == nil || sl.lost)
		worn := sl.current != nil && sl.next == nil && sl.current.worn != "" && !replacing
		if !missing && !worn || !sl.retryAt.IsZero() && !s.due(now, sl.retryAt) {
			continue
		}
		sl.retryAt = time.Time{}
		if missing {
			sl.current, sl.lost = s.start(now, i), false
			sl.current.cautious = sl.pause.Restarts() > 1
		} else {
			sl.next = s.start(now, i)
			replacing = true
		}
	}
}

// watch looks whether a worker is too old, late, silent, or to be measured.
func (s *scheduler) watch(now time.Time, m *member) {
	if m.state == ready {
		if s.due(now, m.checkAt) {
			m.checkAt = time.Time{}
			s.act(doCheck, m)
		}
		if m.cautious && s.due(now, m.trustAt) {
			m.cautious = false
			s.dispatch()
		}
	}
	if m.state == draining && !m.ending && s.opts.DrainTimeout > 0 {
		s.bound(now, m)
	}
	if m.state == ready && m.worn == "" {
		if s.due(now, m.expires) {
			m.wearOut(s, ExitAge)
		}
		if s.due(now, m.measureAt) {
			m.measureAt = now.Add(s.opts.measureEvery)
			s.due(now, m.measureAt)
			s.act(doMeasure, m)
		}
	}
	if m.state != ready && m.state != draining || m.pingAt.IsZero() || m.ending {
		return
	}
	every := s.opts.pingEvery()
	switch {
	case m.pinged.IsZero():
		if s.due(now, m.pingAt) {
			m.pinged = now
			s.due(now, now.Add(every))
			s.act(doPing, m)
		}
	case m.stalledAt.IsZero():
		if s.due(now, m.pinged.Add(every)) {
			m.stalledAt = now // counted from here: this process may itself have been stopped
			s.due(now, now.Add(s.opts.PingTimeout-every))
			s.promote()
		}
	case s.due(now, m.stalledAt.Add(s.opts.PingTimeout-every)):
		if m.reason == "" {
			m.reason = ExitPing
		}
		m.state, m.ending = draining, true
		s.act(doKill, m)
	}
}

// bound ends what a worker drains without end: its calls first, and then itself.
func (s *scheduler) bound(now time.Time, m *member) {
	if m.cutAt.IsZero() {
		m.cutAt = now.Add(s.opts.DrainTimeout)
	}
	if !s.due(now, m.cutAt) {
		return
	}
	if !m.cut && !s.opts.Plain {
		m.cut, m.cutAt = true, now.Add(s.opts.CancelGrace)
		s.due(now, m.cutAt)
		s.act(doCancel, m)
		return
	}
	m.ending = true
	s.add(action{do: doStop, m: m, within: s.opts.StopTimeout})
}

// wearOut marks a worker as one to be replaced.
func (m *member) wearOut(s *scheduler, reason ExitReason) {
	if m.worn == "" {
		m.worn, s.dirty = reason, true
	}
}

// pong takes that a worker has answered its ping.
func (s *scheduler) pong(now time.Time, m *member) {
	if m.pinged.IsZero() {
		return
	}
	m.lag = now.Sub(m.pinged)
	m.pinged, m.pingAt = time.Time{}, now.Add(s.opts.pingEvery())
	if !m.stalledAt.IsZero() {
		m.stalledAt = time.Time{}
		s.promote()
	}
	s.dirty = true
}

// measured takes how much memory a worker has, in bytes.
func (s *scheduler) measured(m *member, bytes int64) {
	if bytes > s.opts.MaxMemory && m.state == ready {
		m.wearOut(s, ExitMemory)
	}
}
