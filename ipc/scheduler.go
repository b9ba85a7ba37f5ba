package ipc

import (
	"container/list"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/backoff"
	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
)

// scheduler is what a pool knows and decides: which workers there are, who gets which
// call, and what is to be started, stopped and killed when. It does no I/O, starts no
// goroutine and reads no clock: the pool tells it what has happened and when, and does
// what it finds in actions. It is not safe for concurrent use.
type scheduler struct {
	opts  *Options
	slots []slot
	live  map[*member]struct{} // all that have not exited

	queue   list.List // of *waiter
	queued  int       // bytes in queue
	callers int       // calls that have a place and are waited for

	rollout *rollout // under way, nil if there is none
	newest  *member  // the worker that became current last
	exits   map[ExitReason]uint64

	served, failed    uint64
	refused, reported Refusals  // reported: those that the log has
	reportAt          time.Time // when to log the others, zero if there are none

	closing  bool      // no more calls are taken
	ended    bool      // no more workers are started, those that there are have been told to end
	killed   bool      // they were killed
	deadline time.Time // of closing

	actions []action
	dirty   bool      // there are actions, or wakeAt may have become earlier
	wakeAt  time.Time // when tick has something to do, zero if never
}

// slot is the place of one worker and its successors.
type slot struct {
	current  *member   // takes calls when it is ready; nil while there is none
	next     *member   // takes its place when it is ready
	lost     bool      // current has ended while a rollout's next one was starting
	retryAt  time.Time // no worker is started before
	pause    backoff.Backoff
	starts   int
	lastExit *Exit
}

// state is where in its life a worker is.
type state int

const (
	starting state = iota
	ready
	draining // gets no more calls, and ends after those that it has
	exited
)

var stateNames = [...]string{"starting", "ready", "draining", "exited"}

func (s state) String() string { return stateNames[s] }

// member is one worker as the scheduler sees it.
type member struct {
	worker *worker     // for the pool alone; nil until the process is started
	hello  *wire.Hello // for the pool alone

	slot    int
	state   state
	begun   time.Time
	rollout *rollout // that it was started for, nil if for none
	spare   bool     // it stands by
	ending  bool     // it was told to end, or ends by itself
	reason  ExitReason

	inFlight, bytes int // the places that calls have at it
	callers         int // of them, those that somebody waits for
	served, failed  uint64

	worn      ExitReason // why it is to be replaced, empty if it is not
	callLimit uint64     // served calls that wear it, 0 for none
	expires   time.Time  // the age that does, zero for none
	measureAt time.Time  // when to look at its memory

	checkAt  time.Time // when a call that nobody waits for must have been answered, zero if there is none
	cutAt    time.Time // when it has drained for long enough, zero while that is not known
	cut      bool      // what it then had was cancelled
	cautious bool      // it has one call at first, and few more with those that it answers
	trustAt  time.Time // when that is over

	pingAt, pinged time.Time // when the next ping is due, when one was sent that waits for its answer
	stalledAt      time.Time // when it was found not to answer, zero if it does
	lag            time.Duration
}

// action is something for the pool to do about a worker.
type action struct {
	do     verb
	m      *member
	within time.Duration // of doStop
}

type verb int

const (
	doSpawn   verb = iota // start its process
	doStop                // let it end within a time
	doKill                // end it at once
	doPing                // ask it for a pong
	doMeasure             // look at its memory
	doCheck               // say whether it has calls that it must have answered
	doCancel              // cancel the calls that it has
	doReport              // log how many calls were refused; there is no worker to it
)

func newScheduler(opts *Options) *scheduler {
	return &scheduler{
		opts:  opts,
		slots: make([]slot, opts.Workers+opts.Spare),
		live:  make(map[*member]struct{}),
		exits: make(map[ExitReason]uint64),
	}
}

func (s *scheduler) act(do verb, m *member) { s.add(action{do: do, m: m}) }

func (s *scheduler) add(a action) {
	s.actions = append(s.actions, a)
	s.dirty = true
}

// take returns what is to be done, once.
func (s *scheduler) take() []action {
	actions := s.actions
	s.actions = nil
	return actions
}
