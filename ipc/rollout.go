package ipc

import (
	"errors"
	"time"
)

// rollout is a new generation of workers. The old ones go on until all new ones are
// ready, and for good if one of those does not get there.
type rollout struct {
	result  chan error // gets one
	todo    []int      // slots whose new worker is not started
	missing int        // workers that are not ready
}

// roll starts a new generation, so many workers at a time. Shutdown ends it.
func (s *scheduler) roll(now time.Time, atOnce int) *rollout {
	r := &rollout{result: make(chan error, 1), missing: len(s.slots)}
	if s.closing {
		r.result <- errClosed
		return r
	}
	if s.rollout != nil {
		s.rollBack(s.rollout, errors.New("ipc: another restart has begun"))
	}
	s.rollout = r
	for i := range s.slots {
		r.todo = append(r.todo, i)
		if old := s.slots[i].next; old != nil { // of a recycling
			s.slots[i].next = nil
			s.drain(old, ExitRestart)
		}
	}
	for range atOnce {
		s.startNext(now, r)
	}
	return r
}

func (s *scheduler) startNext(now time.Time, r *rollout) {
	if len(r.todo) == 0 {
		return
	}
	i := r.todo[0]
	r.todo = r.todo[1:]
	m := s.start(now, i)
	m.rollout = r
	s.slots[i].next = m
}

// advance goes on with the rollout when one of its workers is ready.
func (s *scheduler) advance(now time.Time, m *member) {
	r := m.rollout
	if r == nil || r != s.rollout {
		return
	}
	r.missing--
	s.startNext(now, r)
	if r.missing > 0 {
		return
	}
	s.rollout = nil
	for i := range s.slots {
		if next := s.slots[i].next; next != nil {
			s.takeOver(i)
		}
	}
	s.promote()
	r.result <- nil
}

// rollBack ends a rollout whose workers are not all to be had. Those that have taken
// the place of one that ended meanwhile stay.
func (s *scheduler) rollBack(r *rollout, err error) {
	if r != s.rollout {
		return
	}
	s.rollout = nil
	for i := range s.slots {
		if next := s.slots[i].next; next != nil {
			s.slots[i].next = nil
			s.drain(next, ExitRollback)
		}
	}
	r.result <- err
}
