package sched

import "time"

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

// Refusals counts refused calls by reason.
type Refusals struct{ QueueFull, QueueTimeout, NoWorker, Closed uint64 }

func (r Refusals) since(b Refusals) Refusals {
	return Refusals{r.QueueFull - b.QueueFull, r.QueueTimeout - b.QueueTimeout, r.NoWorker - b.NoWorker, r.Closed - b.Closed}
}

// Counters count what has happened.
type Counters struct {
	Served, Failed uint64 // answered calls, and how many of them with an error
	Refused        Refusals
	Exits          map[Reason]uint64
}

// Queue returns the number of calls that wait, the size of their inputs, and how long the first
// has waited.
func (s *Scheduler) Queue(now time.Time) (calls, bytes int, oldest time.Duration) {
	if first := s.queue.Front(); first != nil {
		oldest = now.Sub(first.Value.(*Waiter).Since)
	}
	return s.queue.Len(), s.queued, oldest
}

// Slot returns the workers of a slot, the number of workers that were started there, and the last
// exit, nil if there was none. The workers are the current one, the next one, and those that
// drain.
func (s *Scheduler) Slot(i int) (workers []*Worker, starts int, lastExit *Exit) {
	sl := &s.slots[i]
	for _, w := range []*Worker{sl.current, sl.next} {
		if w != nil {
			workers = append(workers, w)
		}
	}
	for w := range s.live {
		if w.Slot == i && w != sl.current && w != sl.next {
			workers = append(workers, w)
		}
	}
	return workers, sl.starts, sl.lastExit
}

// State returns the state of a worker, for a ready one stalled or spare if it is.
func (w *Worker) State() string {
	switch {
	case w.state == ready && !w.available():
		return "stalled"
	case w.state == ready && w.spare:
		return "spare"
	}
	return stateNames[w.state]
}
