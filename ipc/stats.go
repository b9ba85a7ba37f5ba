package ipc

import (
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/proc"
	"github.com/bluelibs/go-tunnel/ipc/internal/sched"
)

// Stats is a snapshot of a pool. Its counters begin with Start.
type Stats struct {
	// Workers has all workers, slot by slot. Those of one slot are the worker that takes calls,
	// its replacement, and workers that drain. An empty slot has one entry, in StateExited.
	Workers []WorkerStats

	// Queued is the number of calls that wait for a worker, QueuedBytes is the size of their
	// inputs, and OldestWait is how long the first of them has waited.
	Queued      int
	QueuedBytes int
	OldestWait  time.Duration
	// Waits is the number of calls that have waited and got a worker, WaitTime is the sum of
	// their waits.
	Waits    uint64
	WaitTime time.Duration

	// Served is the number of calls that workers have answered. Failed is how many of these
	// answers were errors.
	Served, Failed uint64
	// Refused counts the calls that got no worker.
	Refused Refusals
	// Exits counts the workers that have ended, by reason.
	Exits map[ExitReason]uint64
	// Retries is how often a call was sent to another worker because the first one ended.
	Retries uint64
	// Cancels is how often a call that a worker had was cancelled. Timeouts is how often that
	// was because its time was over.
	Cancels, Timeouts uint64
}

// Refusals counts refused calls by reason.
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
	// PID is the id of the process, 0 while there is no process.
	PID int
	// State is what the worker can do: StateReady and so on.
	State WorkerState
	// InFlight is the number of its calls, with those whose callers have disconnected.
	InFlight int
	// Served is the number of calls that this process has answered. Failed is how many of these
	// answers were errors.
	Served, Failed uint64
	// Age is the time since its start.
	Age time.Duration
	// Memory is the resident set of the process in bytes, 0 if it is not known.
	Memory int64
	// Lag is how long its last answer to a ping took, which shows how busy its event loop is. It
	// is 0 on the plain wire and before the first ping, 10 s after the start by default.
	Lag time.Duration
	// Starts is the number of processes that were started in this slot.
	Starts int
	// LastExit is how the last worker of this slot ended, nil if none has ended.
	LastExit *Exit
}

// WorkerState says what a worker can do: StateReady and so on.
type WorkerState string

// The states.
const (
	StateStarting WorkerState = "starting" // it takes no calls yet
	StateReady    WorkerState = "ready"    // it takes calls
	StateSpare    WorkerState = "spare"    // it is ready and takes calls when another worker ends
	StateStalled  WorkerState = "stalled"  // it takes no calls until it answers its ping
	StateDraining WorkerState = "draining" // it takes no more calls and ends after its last one
	StateExited   WorkerState = "exited"   // there is no process
)

// Exit is the end of a worker.
type Exit struct {
	Reason ExitReason
	Time   time.Time
	// State is the exit state of the process, or why it was ended, as text for people.
	State string
}

// ExitReason says why a worker ended: ExitCrash and so on.
type ExitReason string

// The reasons.
const (
	ExitCrash    ExitReason = "crash"    // it ended by itself or by a signal, or violated the protocol
	ExitStart    ExitReason = "start"    // it crashed before it was ready
	ExitPing     ExitReason = "ping"     // it did not answer a ping
	ExitTimeout  ExitReason = "timeout"  // it did not answer a call that had timed out, or whose caller had disconnected
	ExitCalls    ExitReason = "calls"    // MaxCalls
	ExitAge      ExitReason = "age"      // MaxAge
	ExitMemory   ExitReason = "memory"   // MaxMemory
	ExitRestart  ExitReason = "restart"  // Restart replaced it
	ExitRollback ExitReason = "rollback" // it was new in a Restart that failed
	ExitStop     ExitReason = "stop"     // the pool was shut down
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
	for _, entry := range workers {
		stats := empty
		stats.State, stats.InFlight, stats.Served, stats.Failed = WorkerState(entry.State()), entry.InFlight, entry.Served, entry.Failed
		stats.Age, stats.Lag = now.Sub(entry.Began), entry.Lag
		if w, started := entry.Handle.(*worker); started {
			stats.PID = w.proc.PID()
		}
		all = append(all, stats)
	}
	return all
}
