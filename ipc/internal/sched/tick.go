package sched

import "time"

// reportEvery is the shortest time between reports of refusals.
const reportEvery = 10 * time.Second

// Tick does everything that is due. It returns the actions for the owner, and when it must be
// called again at the latest, zero if only when the scheduler is Dirty. Ended says that no worker
// is left after Shutdown.
func (s *Scheduler) Tick(now time.Time) (actions []Action, wakeAt time.Time, ended bool) {
	s.wakeAt = time.Time{}
	s.endIfIdle(now)
	if s.closing && !s.killed && s.due(now, s.deadline) {
		s.Abort(now)
	}
	for w := range s.live {
		s.watch(now, w)
	}
	if s.due(now, s.reportAt) {
		s.reportAt = time.Time{}
		if s.Refused != s.reported {
			s.reportAt = now.Add(reportEvery)
			s.add(Action{Do: Report, Refused: s.Refused.since(s.reported)})
			s.reported = s.Refused
		}
		s.due(now, s.reportAt)
	}
	if !s.ended {
		s.fill(now)
	}
	s.dirty = false
	actions, s.actions = s.actions, nil
	return actions, s.wakeAt, s.ended && len(s.live) == 0
}

// due reports whether the time has come. If not, Tick must be called at that time. The zero time
// never comes.
func (s *Scheduler) due(now, at time.Time) bool {
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

// fill starts workers for empty slots, and one replacement at a time for workers to recycle.
func (s *Scheduler) fill(now time.Time) {
	replacing := s.rollout != nil
	for i := range s.slots {
		replacing = replacing || s.slots[i].next != nil
	}
	for i := range s.slots {
		sl := &s.slots[i]
		empty := sl.current == nil && (sl.next == nil || sl.missing)
		recycle := sl.current != nil && sl.next == nil && sl.current.recycle != "" && !replacing
		if !empty && !recycle || !sl.retryAt.IsZero() && !s.due(now, sl.retryAt) {
			continue
		}
		sl.retryAt = time.Time{}
		if empty {
			sl.current, sl.missing = s.start(now, i), false
			sl.current.slowStart = sl.backoff.Restarts() > 1
		} else {
			sl.next = s.start(now, i)
			replacing = true
		}
	}
}

// watch does everything that is due for a worker.
func (s *Scheduler) watch(now time.Time, w *Worker) {
	if w.state == ready {
		if s.due(now, w.answerBy) {
			w.answerBy = time.Time{}
			s.act(Check, w)
		}
		if w.slowStart && s.due(now, w.slowStartEnds) {
			w.slowStart = false
			s.dispatch()
		}
	}
	if w.state == draining && !w.ending && s.config.DrainTimeout > 0 {
		s.boundDrain(now, w)
	}
	if w.state == ready && w.recycle == "" {
		if s.due(now, w.expires) {
			s.recycle(w, Age)
		}
		if s.due(now, w.measureAt) {
			w.measureAt = now.Add(s.config.MeasureEvery)
			s.due(now, w.measureAt)
			s.act(Measure, w)
		}
	}
	if w.state != ready && w.state != draining || w.pingAt.IsZero() || w.ending {
		return
	}
	s.ping(now, w)
}

// ping pings a worker that is due for it. A worker that does not answer gets no more calls, and is
// killed in the end.
func (s *Scheduler) ping(now time.Time, w *Worker) {
	interval := s.config.pingInterval()
	switch {
	case w.pinged.IsZero():
		if s.due(now, w.pingAt) {
			w.pinged = now
			s.due(now, now.Add(interval))
			s.act(Ping, w)
		}
	case w.stalledAt.IsZero():
		if s.due(now, w.pinged.Add(interval)) {
			w.stalledAt = now // the kill counts from here: this process itself may have been stopped
			s.due(now, now.Add(s.config.PingTimeout-interval))
			s.activate()
		}
	case s.due(now, w.stalledAt.Add(s.config.PingTimeout-interval)):
		if w.reason == "" {
			w.reason = PingTimeout
		}
		w.state, w.ending = draining, true
		s.act(Kill, w)
	}
}

// boundDrain ends the calls of a worker that drains for too long, and later the worker.
func (s *Scheduler) boundDrain(now time.Time, w *Worker) {
	if w.drainDeadline.IsZero() {
		w.drainDeadline = now.Add(s.config.DrainTimeout)
	}
	if !s.due(now, w.drainDeadline) {
		return
	}
	if !w.cancelled && s.config.Cancels {
		w.cancelled, w.drainDeadline = true, now.Add(s.config.CancelGrace)
		s.due(now, w.drainDeadline)
		s.act(CancelCalls, w)
		return
	}
	w.ending = true
	s.add(Action{Do: Stop, Worker: w, Within: s.config.StopTimeout})
}

// recycle marks a worker for replacement.
func (s *Scheduler) recycle(w *Worker, reason Reason) {
	if w.recycle == "" {
		w.recycle, s.dirty = reason, true
	}
}

// Pong notes that a worker has answered its ping.
func (s *Scheduler) Pong(now time.Time, w *Worker) {
	if w.pinged.IsZero() {
		return
	}
	w.Lag = now.Sub(w.pinged)
	w.pinged, w.pingAt = time.Time{}, now.Add(s.config.pingInterval())
	if !w.stalledAt.IsZero() {
		w.stalledAt = time.Time{}
		s.activate()
	}
	s.dirty = true
}

// Measured notes how much memory a worker has, in bytes.
func (s *Scheduler) Measured(w *Worker, bytes int64) {
	if bytes > s.config.MaxMemory && w.state == ready {
		s.recycle(w, Memory)
	}
}
