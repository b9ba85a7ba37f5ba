package sched

import (
	"container/list"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/backoff"
)

// Config has the limits of a Scheduler. The fields mean what those of ipc.Options mean.
type Config struct {
	Workers, Spare, Concurrency int

	MaxQueue, MaxQueueBytes                              int
	QueueTimeout, CancelGrace, DrainTimeout, StopTimeout time.Duration

	PingTimeout time.Duration // 0 or less: workers are not pinged
	Cancels     bool          // calls can be cancelled

	MaxCalls     int
	MaxAge       time.Duration
	MaxMemory    int64
	MeasureEvery time.Duration // how often the memory of workers is measured
}

// pingInterval is the time from a pong to the next ping, and from a ping without a pong to no more
// calls.
func (c *Config) pingInterval() time.Duration { return min(c.PingTimeout/3, 10*time.Second) }

// Scheduler has the state of a pool and decides. It is not safe for concurrent use.
type Scheduler struct {
	config Config
	slots  []slot
	live   map[*Worker]struct{} // the workers that have not exited

	queue   list.List // of *Waiter
	queued  int       // bytes in queue
	callers int       // calls that have a place and a caller who waits

	rollout *Rollout // under way, nil if there is none
	newest  *Worker  // the worker that became current last

	Counters
	reported Refusals  // the refusals that the log has
	reportAt time.Time // when to log further refusals, zero if there are none

	closing  bool      // no more calls are taken
	ended    bool      // no more workers are started, all live workers have been told to end
	killed   bool      // the live workers were killed
	deadline time.Time // when the workers of a closing pool are killed

	actions []Action
	dirty   bool      // there are actions, or wakeAt may have become earlier
	wakeAt  time.Time // when Tick has something to do, zero if never
}

// slot is the place of one worker and its successors.
type slot struct {
	current  *Worker   // gets calls when it is ready; nil while there is none
	next     *Worker   // becomes current when it is ready
	missing  bool      // current has ended while the next one of a rollout was starting
	retryAt  time.Time // no worker is started before this time
	backoff  backoff.Backoff
	starts   int
	lastExit *Exit
}

// state is the state of a worker's life.
type state int

const (
	starting state = iota
	ready
	draining // gets no more calls, and ends when no caller waits
	exited
)

var stateNames = [...]string{"starting", "ready", "draining", "exited"}

// Worker is one worker as the scheduler sees it.
type Worker struct {
	Handle         any       // for the owner of the scheduler, which does not look at it
	Slot           int       // from 0
	Began          time.Time // when it was started
	InFlight       int       // calls that have a place
	Served, Failed uint64
	Lag            time.Duration // the time to its last pong

	state   state
	rollout *Rollout // the rollout that it was started for, nil if none
	spare   bool     // it stands by
	ending  bool     // it was told to end
	reason  Reason   // why it ends

	bytes   int // the inputs of the calls that have a place
	callers int // of these calls, the number whose caller waits

	recycle   Reason    // why it is to be replaced, empty if it is not
	callLimit uint64    // served calls after which it is recycled, 0 for none
	expires   time.Time // when it is recycled, zero for never
	measureAt time.Time // when to measure its memory

	answerBy      time.Time // when an abandoned call must have been answered, zero if there is none
	drainDeadline time.Time // when it has drained for long enough, zero while that is not known
	cancelled     bool      // its calls were cancelled at that time
	slowStart     bool      // it has one call at first, and a few more with each answer
	slowStartEnds time.Time

	pingAt, pinged time.Time // when the next ping is due; when the unanswered ping was sent
	stalledAt      time.Time // when it stopped answering pings, zero if it answers
}

// Starting reports whether the worker is neither ready nor told to end.
func (w *Worker) Starting() bool { return w.state == starting }

// Action is something that the owner has to do about a worker.
type Action struct {
	Do      Verb
	Worker  *Worker
	Within  time.Duration // the time for Stop
	Refused Refusals      // for Report: the refusals since the last one
}

// Verb is the kind of an Action.
type Verb int

// The verbs.
const (
	Start       Verb = iota // start its process
	Stop                    // end it within a time
	Kill                    // end it at once
	Ping                    // ping it, and call Pong
	Measure                 // measure its memory, and call Measured
	Check                   // look for calls that are overdue, and call Checked
	CancelCalls             // cancel its calls
	Report                  // log refusals; there is no worker
)

// New returns a scheduler without workers. StartRollout starts them.
func New(config Config) *Scheduler {
	return &Scheduler{
		config:   config,
		slots:    make([]slot, config.Workers+config.Spare),
		live:     make(map[*Worker]struct{}),
		Counters: Counters{Exits: make(map[Reason]uint64)},
	}
}

func (s *Scheduler) act(do Verb, w *Worker) { s.add(Action{Do: do, Worker: w}) }

func (s *Scheduler) add(a Action) {
	s.actions = append(s.actions, a)
	s.dirty = true
}

// Dirty reports whether Tick must be called now.
func (s *Scheduler) Dirty() bool { return s.dirty }

// Newest returns the worker that became current last, nil if there was none.
func (s *Scheduler) Newest() *Worker { return s.newest }
