package sched

import (
	"errors"
	"time"
)

// ErrReplaced is the error of a rollout during which another one has begun.
var ErrReplaced = errors.New("ipc: another restart has begun")

// Rollout is a new generation of workers. The old ones go on until all new ones are ready, and
// stay if one of the new ones does not become ready.
type Rollout struct {
	Result  chan error // gets one result
	todo    []int      // slots whose new worker is not started
	missing int        // workers that are not ready
}

// StartRollout starts a new generation, atOnce workers at a time. Shutdown ends it.
func (s *Scheduler) StartRollout(now time.Time, atOnce int) *Rollout {
	r := &Rollout{Result: make(chan error, 1), missing: len(s.slots)}
	if s.closing {
		r.Result <- ErrClosed
		return r
	}
	if s.rollout != nil {
		s.RollBack(s.rollout, ErrReplaced)
	}
	s.rollout = r
	for i := range s.slots {
		r.todo = append(r.todo, i)
		if next := s.slots[i].next; next != nil { // the replacement of a recycled worker
			s.slots[i].next = nil
			s.retire(next, Restart)
		}
	}
	for range atOnce {
		s.startNext(now, r)
	}
	return r
}

func (s *Scheduler) startNext(now time.Time, r *Rollout) {
	if len(r.todo) == 0 {
		return
	}
	i := r.todo[0]
	r.todo = r.todo[1:]
	w := s.start(now, i)
	w.rollout = r
	s.slots[i].next = w
}

// advance continues the rollout when one of its workers is ready.
func (s *Scheduler) advance(now time.Time, w *Worker) {
	r := w.rollout
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
		if s.slots[i].next != nil {
			s.switchOver(i)
		}
	}
	s.activate()
	r.Result <- nil
}

// RollBack ends a rollout that is under way. Its workers end, except for those that already
// replace a worker that has ended.
func (s *Scheduler) RollBack(r *Rollout, err error) {
	if r != s.rollout {
		return
	}
	s.rollout = nil
	for i := range s.slots {
		if next := s.slots[i].next; next != nil {
			s.slots[i].next = nil
			s.retire(next, Rollback)
		}
	}
	r.Result <- err
}
