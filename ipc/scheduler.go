package ipc

import (
	"container/list"
	"math/rand/v2"
	"time"
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

	rollout *rollout      // under way, nil if there is none
	overdue []overdueCall // in the order of their times
	newest  *member       // the worker that became current last
	exits   map[ExitReason]uint64

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
	retryAt  time.Time // no worker is started before
	pause    backoff
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
	worker *worker  // for the pool alone; nil until the process is started
	hello  *control // for the pool alone

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
	memory    int64      // of the last look, in bytes

	pingAt, pinged time.Time // when the next ping is due, when one was sent that waits for its answer
	stalledAt      time.Time // when it was found not to answer, zero if it does
	lag            time.Duration
}

// action is something for the pool to do about a worker.
type action struct {
	do     verb
	m      *member
	id     uint64        // of doCheck
	within time.Duration // of doStop
}

type verb int

const (
	doSpawn   verb = iota // start its process
	doStop                // let it end within a time
	doKill                // end it at once
	doPing                // ask it for a pong
	doMeasure             // look at its memory
	doCheck               // say stuck if it has still not answered a call
	doReport              // log how many calls were refused; there is no worker to it
)

// overdueCall is a call that its task's time limit has cancelled.
type overdueCall struct {
	m   *member
	id  uint64
	due time.Time // when it must have been answered
}

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

// start makes a worker for a slot.
func (s *scheduler) start(now time.Time, i int) *member {
	m := &member{slot: i, begun: now, spare: true}
	s.live[m] = struct{}{}
	s.slots[i].starts++
	s.act(doSpawn, m)
	return m
}

// ready takes that a worker can have calls.
func (s *scheduler) ready(now time.Time, m *member) {
	if m.state != starting {
		return
	}
	m.state = ready
	s.wear(now, m)
	sl := &s.slots[m.slot]
	switch {
	case m == sl.current:
		s.newest = m
	case sl.current == nil || m.rollout == nil:
		s.takeOver(m.slot)
	}
	s.promote()
	s.advance(now, m)
}

// wear sets when the worker is to be replaced, each a little different, and pinged.
func (s *scheduler) wear(now time.Time, m *member) {
	if s.opts.MaxCalls > 0 {
		m.callLimit = uint64(lessJitter(int64(s.opts.MaxCalls)))
	}
	if s.opts.MaxAge > 0 {
		m.expires = now.Add(time.Duration(lessJitter(int64(s.opts.MaxAge))))
	}
	if s.opts.MaxMemory > 0 {
		m.measureAt = now.Add(s.opts.measureEvery)
	}
	if s.opts.PingTimeout > 0 && !s.opts.Plain {
		m.pingAt = now.Add(s.opts.pingEvery())
	}
	s.dirty = true
}

// lessJitter returns n less up to an eighth of it, at least 1.
func lessJitter(n int64) int64 { return max(1, n-rand.N(n/8+1)) }

// takeOver makes the next worker of a slot the current one. The old one drains.
func (s *scheduler) takeOver(i int) {
	sl := &s.slots[i]
	old := sl.current
	sl.current, sl.next = sl.next, nil
	s.newest = sl.current
	if old == nil {
		return
	}
	reason := old.worn
	if reason == "" {
		reason = ExitRestart
	}
	s.drain(old, reason)
}

// usable reports whether the worker can have more calls.
func (m *member) usable() bool { return m.state == ready && m.stalledAt.IsZero() }

// isReady reports whether there is a worker for calls.
func (s *scheduler) isReady() bool {
	for i := range s.slots {
		if m := s.slots[i].current; m != nil && m.usable() {
			return !s.closing
		}
	}
	return false
}

// promote lets spares have calls as far as workers are missing, and calls have those that
// can.
func (s *scheduler) promote() {
	active := 0
	for i := range s.slots {
		if m := s.slots[i].current; m != nil && m.usable() && !m.spare {
			active++
		}
	}
	for i := range s.slots {
		if m := s.slots[i].current; active < s.opts.Workers && m != nil && m.usable() && m.spare {
			m.spare = false
			active++
		}
	}
	s.dispatch()
}

// drain lets a worker take no more calls and end after those that it has.
func (s *scheduler) drain(m *member, reason ExitReason) {
	if m.state != starting && m.state != ready {
		return
	}
	if m.reason == "" {
		m.reason = reason
	}
	begun := m.state == ready
	m.state = draining
	if begun {
		s.finish(m)
		return
	}
	m.ending = true
	s.act(doKill, m)
}

// finish ends a draining worker that nobody waits for.
func (s *scheduler) finish(m *member) {
	if m.state == draining && m.callers == 0 && !m.ending {
		m.ending = true
		s.add(action{do: doStop, m: m, within: s.opts.StopTimeout})
	}
}

// lose takes that a worker takes no more calls because it is about to end.
func (s *scheduler) lose(m *member) {
	if m.state == ready {
		m.state, m.ending = draining, true
		s.promote()
	}
}

// stuck takes that a worker has not answered a call that its time limit has cancelled.
// Its other calls go on; a new worker takes its place.
func (s *scheduler) stuck(now time.Time, m *member) {
	sl := &s.slots[m.slot]
	if m.state != ready {
		return
	}
	if sl.current == m {
		sl.current, s.dirty = nil, true
		sl.retryAt = now.Add(sl.pause.next(now.Sub(m.begun), m.served))
	}
	s.drain(m, ExitTimeout)
	s.promote()
}

// exited takes that a worker's process has ended, and how.
func (s *scheduler) exited(now time.Time, m *member, err error) {
	unready := m.state == starting
	m.state = exited
	delete(s.live, m)
	switch {
	case m.reason != "":
	case s.ended:
		m.reason = ExitStop
	case unready:
		m.reason = ExitStart
	default:
		m.reason = ExitCrash
	}
	s.exits[m.reason]++
	s.dirty = true

	sl := &s.slots[m.slot]
	sl.lastExit = &Exit{Reason: m.reason, Time: now, State: err.Error()}
	switch m {
	case sl.current:
		sl.current = nil
		if sl.next != nil && sl.next.state == ready { // its rollout is not over, but the place is free
			s.takeOver(m.slot)
		} else if sl.next == nil {
			sl.retryAt = now.Add(sl.pause.next(now.Sub(m.begun), m.served))
		}
	case sl.next:
		sl.next = nil
		sl.retryAt = now.Add(max(firstDelay, sl.pause.next(now.Sub(m.begun), 0)))
		if m.rollout != nil {
			s.rollBack(m.rollout, err)
		}
	}
	s.promote()
}

// shutdown lets the pool take no more calls, and end when it has none or the time for
// that is over.
func (s *scheduler) shutdown(now time.Time) {
	if s.closing {
		return
	}
	s.closing, s.dirty = true, true
	s.deadline = now.Add(s.opts.StopTimeout)
	if s.rollout != nil {
		s.rollBack(s.rollout, errClosed)
	}
	s.settle(now)
}

// settle ends a closing pool that has no more calls.
func (s *scheduler) settle(now time.Time) {
	if !s.closing || s.ended || s.callers > 0 || s.queue.Len() > 0 {
		return
	}
	s.ended = true
	for m := range s.live {
		if m.state == starting {
			s.end(m, doKill, 0)
		} else { // again, if it drained: its time may have been longer
			s.end(m, doStop, s.deadline.Sub(now))
		}
	}
}

// end ends a worker with the pool.
func (s *scheduler) end(m *member, how verb, within time.Duration) {
	if m.reason == "" {
		m.reason = ExitStop
	}
	m.state, m.ending = draining, true
	s.add(action{do: how, m: m, within: within})
}

// abort ends everything at once.
func (s *scheduler) abort(now time.Time) {
	s.shutdown(now)
	if s.killed {
		return
	}
	s.ended, s.killed = true, true
	for place := s.queue.Front(); place != nil; place = s.queue.Front() {
		s.dequeue(place.Value.(*waiter)).assigned <- nil
	}
	for m := range s.live {
		s.end(m, doKill, 0)
	}
}
