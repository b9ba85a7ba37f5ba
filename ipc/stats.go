package ipc

import (
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/proc"
	"github.com/bluelibs/go-tunnel/ipc/internal/sched"
)

// Stats is a snapshot of a pool. What it counts, it counts from Start on.
type Stats struct {
	// Workers has the workers that there are, those of a slot one after the other: the one
	// that takes calls, one that is to take its place, and those that drain. An empty slot
	// has one entry, of state "exited".
	Workers []WorkerStats

	// Queued is the number of calls that wait for a worker, QueuedBytes the size of their
	// inputs, and OldestWait how long the first of them has waited.
	Queued      int
	QueuedBytes int
	OldestWait  time.Duration
	// Waits is how many calls had to wait and got a worker, WaitTime how long together.
	Waits    uint64
	WaitTime time.Duration

	// Served is the number of calls that workers have answered, Failed how many of them with
	// an error.
	Served, Failed uint64
	// Refused are the calls that got no worker.
	Refused Refusals
	// Exits are the ends of workers, by reason.
	Exits map[ExitReason]uint64
	// Retries is how often a call was given to another worker because the first one ended.
	Retries uint64
	// Cancels is how often a call was given up that a worker had, Timeouts how often of
	// that because its time was over.
	Cancels, Timeouts uint64
}

// Refusals are counts of calls that were refused, by why.
type Refusals struct {
	QueueFull    uint64 // the queue had no room
	QueueTimeout uint64 // no worker had time within Options.QueueTimeout
	NoWorker     uint64 // no worker was running
	Closed       uint64 // the pool was closing
}

// WorkerStats is a snapshot of one worker.
type WorkerStats struct {
	// Slot is the place of the worker, from 0.
	Slot int
	// PID is the process's id, 0 while there is none.
	PID int
	// State is what the worker can do: StateReady and so on.
	State WorkerState
	// InFlight is the number of calls that it has, those whose callers left included.
	InFlight int
	// Served is the number of calls that this process has answered, Failed how many of them
	// with an error.
	Served, Failed uint64
	// Age is the time since it was started.
	Age time.Duration
	// Memory is the resident set of the process in bytes. 0 where that is not known.
	Memory int64
	// Lag is how long its last answer to a ping took: how busy its event loop is. 0 on the
	// plain wire, and before the first, which takes 10 s with the default PingTimeout.
	Lag time.Duration
	// Starts is how often a process was started in this slot.
	Starts int
	// LastExit is the last end of a worker in this slot, nil if there was none.
	LastExit *Exit
}

// WorkerState says what a worker can do: StateReady and so on.
type WorkerState string

// The states.
const (
	StateStarting WorkerState = "starting" // it takes no calls yet
	StateReady    WorkerState = "ready"    // it takes calls
	StateSpare    WorkerState = "spare"    // it could, and waits for a worker to end
	StateStalled  WorkerState = "stalled"  // it gets none until it answers its ping
	StateDraining WorkerState = "draining" // it gets no more, and ends after those that it has
	StateExited   WorkerState = "exited"   // there is no process
)

// Exit is the end of a worker.
type Exit struct {
	Reason ExitReason
	Time   time.Time
	// State is what became of the process, or why it was ended, for people.
	State string
}

// ExitReason says why a worker ended: ExitCrash and so on.
type ExitReason string

// The reasons.
const (
	ExitCrash    ExitReason = "crash"    // by itself, by somebody's signal, or for breaking the wire
	ExitStart    ExitReason = "start"    // as a crash, before it was ready
	ExitPing     ExitReason = "ping"     // it did not answer a ping
	ExitTimeout  ExitReason = "timeout"  // it did not answer a call that had timed out, or whose caller had left
	ExitCalls    ExitReason = "calls"    // MaxCalls
	ExitAge      ExitReason = "age"      // MaxAge
	ExitMemory   ExitReason = "memory"   // MaxMemory
	ExitRestart  ExitReason = "restart"  // replaced by Restart
	ExitRollback ExitReason = "rollback" // new in a Restart that failed
	ExitStop     ExitReason = "stop"     // with the pool
)

// Stats returns a snapshot.
func (p *Pool) Stats() Stats {
	stats := Stats{
		Waits: p.waits.Load(), WaitTime: time.Duration(p.waited.Load()),
		Retries: p.replays.Load(), Cancels: p.cancels.Load(), Timeouts: p.timeouts.Load(), Exits: map[ExitReason]uint64{},
	}
	p.mu.Lock()
	now, s := time.Now(), p.sched
	stats.Queued, stats.QueuedBytes, stats.OldestWait = s.Queue(now)
	stats.Served, stats.Failed, stats.Refused = s.Served, s.Failed, Refusals(s.Refused)
	for reason, n := range s.Exits {
		stats.Exits[ExitReason(reason)] = n
	}
	for i := range p.opts.Workers + p.opts.Spares {
		stats.Workers = append(stats.Workers, slotStats(s, now, i)...)
	}
	p.mu.Unlock()
	for i := range stats.Workers {
		if w := &stats.Workers[i]; w.PID != 0 {
			w.Memory = proc.ResidentSet(w.PID)
		}
	}
	return stats
}

func slotStats(s *sched.Scheduler, now time.Time, i int) (all []WorkerStats) {
	workers, starts, lastExit := s.Slot(i)
	empty := WorkerStats{Slot: i, State: StateExited, Starts: starts}
	if lastExit != nil {
		empty.LastExit = &Exit{Reason: ExitReason(lastExit.Reason), Time: lastExit.Time, State: lastExit.State}
	}
	if len(workers) == 0 {
		return []WorkerStats{empty}
	}
	for _, m := range workers {
		stats := empty
		stats.State, stats.InFlight, stats.Served, stats.Failed = WorkerState(m.State()), m.InFlight, m.Served, m.Failed
		stats.Age, stats.Lag = now.Sub(m.Began), m.Lag
		if w, started := m.Handle.(*worker); started {
			stats.PID = w.proc.PID()
		}
		all = append(all, stats)
	}
	return all
}
