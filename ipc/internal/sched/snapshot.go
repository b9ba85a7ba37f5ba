package sched

import (
	"maps"
	"time"
)

// Reason says why a worker ended.
type Reason string

// The reasons. Package ipc says what they mean, by the same values.
const (
	Crash       Reason = "crash"
	StartFailed Reason = "start"
	PingTimeout Reason = "ping"
	Timeout     Reason = "timeout"
	Calls       Reason = "calls"
	Age         Reason = "age"
	Memory      Reason = "memory"
	Restart     Reason = "restart"
	Rollback    Reason = "rollback"
	PoolStop    Reason = "stop"
)

// Exit is the end of a worker.
type Exit struct {
	Reason Reason
	Time   time.Time
	State  string // the error of Exited
}

// Refusals counts refused calls, by why.
type Refusals struct{ Full, Late, Down, Closed uint64 }

// Snapshot is what a scheduler has and has counted. Its fields are those of ipc.Stats.
type Snapshot struct {
	Queued, QueuedBytes int
	OldestWait          time.Duration
	Served, Failed      uint64
	Refused             Refusals
	Exits               map[Reason]uint64
	Workers             []WorkerSnapshot
}

// WorkerSnapshot is what a scheduler knows of a worker, or of an empty slot: then the state is
// "exited". Its fields are those of ipc.WorkerStats.
type WorkerSnapshot struct {
	Handle           any // of the worker
	Slot             int
	State            string
	InFlight, Starts int
	Served, Failed   uint64
	Age, Lag         time.Duration
	LastExit         *Exit
}

// Snapshot returns a snapshot, with the workers of a slot one after the other: the current
// one, the next one, and those that drain.
func (s *Scheduler) Snapshot(now time.Time) Snapshot {
	all := Snapshot{
		Queued: s.queue.Len(), QueuedBytes: s.queued, Served: s.served, Failed: s.failed,
		Refused: s.refused, Exits: maps.Clone(s.exits),
	}
	if first := s.queue.Front(); first != nil {
		all.OldestWait = now.Sub(first.Value.(*Waiter).Since)
	}
	for i := range s.slots {
		sl := &s.slots[i]
		before := len(all.Workers)
		add := func(w *Worker) {
			all.Workers = append(all.Workers, w.snapshot(now, sl))
		}
		if sl.current != nil {
			add(sl.current)
		}
		if sl.next != nil {
			add(sl.next)
		}
		for w := range s.live {
			if w.Slot == i && w != sl.current && w != sl.next {
				add(w)
			}
		}
		if len(all.Workers) == before {
			all.Workers = append(all.Workers, WorkerSnapshot{Slot: i, State: exited.String(), Starts: sl.starts, LastExit: sl.lastExit})
		}
	}
	return all
}

func (w *Worker) snapshot(now time.Time, sl *slot) WorkerSnapshot {
	state := w.state.String()
	switch {
	case w.state == ready && !w.available():
		state = "stalled"
	case w.state == ready && w.spare:
		state = "spare"
	}
	return WorkerSnapshot{
		Handle: w.Handle, Slot: w.Slot, State: state, InFlight: w.inFlight, Starts: sl.starts,
		Served: w.served, Failed: w.failed, Age: now.Sub(w.Began), Lag: w.lag, LastExit: sl.lastExit,
	}
}

// Unreported returns the refusals since it was called last.
func (s *Scheduler) Unreported() Refusals {
	all, before := s.refused, s.reported
	s.reported = all
	return Refusals{all.Full - before.Full, all.Late - before.Late, all.Down - before.Down, all.Closed - before.Closed}
}
