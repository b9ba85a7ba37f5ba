package sched

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc/internal/backoff"
	"github.com/bluelibs/go-tunnel/protocol"
)

// world plays everything around a scheduler: the processes, the callers and the clock.
type world struct {
	t   *testing.T
	r   *rand.Rand
	s   *Scheduler
	now time.Time

	starting, running map[*Worker]bool // processes: those that are not yet ready, and the others
	stopped           map[*Worker]bool // running ones that were told to end
	calls             []*playedCall
	waiters           []*Waiter
	cancelled         map[*Worker]bool // running ones that were told to end their calls
	pings             map[*Worker]bool
	rollouts          []*Rollout
	starts            int
	reports           []Refusals // that the log has got
}

// withDefaults returns the configuration with what the tests rely on.
func (c Config) withDefaults() Config {
	c.Workers, c.Concurrency, c.MaxQueueBytes = max(c.Workers, 1), cmp.Or(c.Concurrency, 1024), 100<<20
	c.MaxQueue = cmp.Or(c.MaxQueue, 1024)
	c.QueueTimeout, c.StopTimeout, c.CancelGrace = 10*time.Second, 10*time.Second, 5*time.Second
	c.PingTimeout, c.DrainTimeout = cmp.Or(c.PingTimeout, 30*time.Second), cmp.Or(c.DrainTimeout, 5*time.Minute)
	c.MeasureEvery = 5 * time.Second
	return c
}

// playedCall is a call that has a place.
type playedCall struct {
	m    *Worker
	size int
	left bool
	due  time.Time // once it was left; zero: it has no bound
}

func newWorld(t *testing.T, seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 1))
	config := Config{
		Workers: 1 + r.IntN(4), Spare: r.IntN(3), Concurrency: 1 + r.IntN(4),
		MaxQueue: r.IntN(20), MaxQueueBytes: 100 << 20, MaxCalls: r.IntN(2) * 20, MaxAge: time.Duration(r.IntN(2)) * time.Minute,
		MaxMemory: int64(r.IntN(2)) * 1000, PingTimeout: time.Duration(r.IntN(2)*30-1) * time.Second,
		DrainTimeout: time.Duration(r.IntN(2)*60-1) * time.Second, Cancels: r.IntN(4) != 0,
	}.withDefaults()
	return &world{
		t: t, r: r, s: New(config), now: time.Unix(1e9, 0),
		starting: map[*Worker]bool{}, running: map[*Worker]bool{}, stopped: map[*Worker]bool{}, cancelled: map[*Worker]bool{}, pings: map[*Worker]bool{},
	}
}

// do ticks and carries out what the scheduler wants, when a pool would.
func (w *world) do() {
	var actions []Action
	if w.s.dirty || !w.s.wakeAt.IsZero() && !w.now.Before(w.s.wakeAt) {
		actions, _, _ = w.s.Tick(w.now)
	}
	w.carryOut(actions)
}

func (w *world) carryOut(actions []Action) {
	for _, a := range actions {
		switch a.Do {
		case Start:
			w.starts++
			w.starting[a.Worker] = true
		case Stop:
			assert.LessOrEqual(w.t, a.Within, w.s.config.StopTimeout)
			if w.running[a.Worker] {
				w.stopped[a.Worker] = true
			}
		case Kill:
			if w.starting[a.Worker] || w.running[a.Worker] {
				w.exit(a.Worker)
			}
		case Ping:
			require.True(w.t, w.running[a.Worker])
			w.pings[a.Worker] = true
		case Measure:
			w.s.Measured(a.Worker, w.r.Int64N(1100))
		case Check:
			late, next := w.overdue(a.Worker)
			w.s.Checked(w.now, a.Worker, late, next)
		case CancelCalls:
			require.Equal(w.t, draining, a.Worker.state)
			require.True(w.t, w.s.config.Cancels)
			w.cancelled[a.Worker] = true
		case Report:
			w.reports = append(w.reports, a.Refused)
		}
	}
	w.collect()
}

// overdue is what a link says about its calls.
func (w *world) overdue(m *Worker) (late bool, next time.Time) {
	for _, c := range w.calls {
		switch {
		case c.m != m || c.due.IsZero():
		case !w.now.Before(c.due):
			late = true
		case next.IsZero() || c.due.Before(next):
			next = c.due
		}
	}
	return late, next
}

// collect sees which waiters have got a place.
func (w *world) collect() {
	for i := 0; i < len(w.waiters); {
		waiter := w.waiters[i]
		select {
		case m := <-waiter.Assigned:
			if m != nil {
				w.give(m, waiter.Size)
			} else {
				require.Error(w.t, waiter.Err)
			}
			w.waiters = append(w.waiters[:i], w.waiters[i+1:]...)
		default:
			i++
		}
	}
}

func (w *world) give(m *Worker, size int) {
	require.NotContains(w.t, []state{starting, exited}, m.state, "a worker without a process got a call")
	w.calls = append(w.calls, &playedCall{m: m, size: size})
}

// exit ends a process: its calls fail first, as the pool does it.
func (w *world) exit(m *Worker) {
	delete(w.starting, m)
	delete(w.running, m)
	delete(w.stopped, m)
	delete(w.cancelled, m)
	delete(w.pings, m)
	w.s.Drain(w.now, m)
	left := w.calls
	w.calls = nil
	for _, c := range left {
		switch {
		case c.m != m:
			w.calls = append(w.calls, c)
		case c.left:
			w.s.Release(m, c.size)
		case w.r.IntN(2) == 0:
			w.s.Release(m, c.size)
			w.s.Abandon(m, time.Time{})
		default:
			w.s.Complete(m, c.size, true)
		}
	}
	w.s.Exited(w.now, m, errors.New("played"))
}

func pick[T any](r *rand.Rand, all map[*Worker]T) *Worker {
	n := r.IntN(len(all) + 1)
	for m := range all {
		if n == 0 {
			return m
		}
		n--
	}
	return nil
}

// step lets one random thing happen.
func (w *world) step() {
	switch w.r.IntN(20) {
	case 0, 1, 2, 3, 4, 5:
		size := w.r.IntN(30) << 20 // now and then more than maxInFlightBytes together
		if m := w.s.TryAcquire(size); m != nil {
			w.give(m, size)
		} else if waiter, err := w.s.Enqueue(w.now, size); err == nil {
			w.waiters = append(w.waiters, waiter)
		}
	case 6, 7, 8, 9:
		if len(w.calls) == 0 {
			return
		}
		i := w.r.IntN(len(w.calls))
		c := w.calls[i]
		w.calls = append(w.calls[:i], w.calls[i+1:]...)
		if c.left {
			w.s.Release(c.m, c.size)
		} else {
			w.s.Complete(c.m, c.size, w.r.IntN(2) == 0)
		}
	case 10:
		if len(w.calls) > 0 {
			if c := w.calls[w.r.IntN(len(w.calls))]; !c.left {
				c.left = true
				if w.r.IntN(2) == 0 {
					c.due = w.now.Add(time.Duration(w.r.Int64N(int64(time.Minute))))
				}
				w.s.Abandon(c.m, c.due)
			}
		}
	case 11:
		if len(w.waiters) > 0 {
			i := w.r.IntN(len(w.waiters))
			if w.s.Dequeue(w.waiters[i]) {
				w.waiters = append(w.waiters[:i], w.waiters[i+1:]...)
			}
		}
	case 12, 13, 14:
		if m := pick(w.r, w.starting); m != nil {
			delete(w.starting, m)
			w.running[m] = true
			w.s.Ready(w.now, m)
		}
	case 15:
		if m := pick(w.r, w.starting); m != nil && w.r.IntN(2) == 0 {
			w.exit(m)
		} else if m := pick(w.r, w.running); m != nil && w.r.IntN(2) == 0 {
			w.exit(m)
		}
	case 16:
		if m := pick(w.r, w.stopped); m != nil {
			w.exit(m)
		}
	case 17:
		if m := pick(w.r, w.pings); m != nil {
			delete(w.pings, m)
			w.s.Pong(w.now, m)
		}
	case 18:
		w.now = w.now.Add(time.Duration(w.r.ExpFloat64() * float64(2*time.Second)))
	case 19:
		if w.r.IntN(10) == 0 {
			w.rollouts = append(w.rollouts, w.s.StartRollout(w.now, 1))
		}
	}
	w.collect()
}

// check holds what is true after every step.
func (w *world) check() {
	s := w.s
	counts := map[state]int{}
	callers, active := 0, 0
	for m := range s.live {
		counts[m.state]++
		callers += m.callers
		places, size, waited := 0, 0, 0
		for _, c := range w.calls {
			if c.m == m {
				places++
				size += c.size
				if !c.left {
					waited++
				}
			}
		}
		require.Equal(w.t, []int{places, size, waited}, []int{m.InFlight, m.bytes, m.callers}, "places, bytes, callers")
		require.LessOrEqual(w.t, m.InFlight, s.config.Concurrency)
		if m.state == ready && !m.spare {
			active++
		}
		late, _ := w.overdue(m)
		require.False(w.t, m.state == ready && late, "a worker is kept that has not answered a call in time")
		if m.state == draining && !m.ending && s.config.DrainTimeout > 0 && !s.dirty {
			require.False(w.t, m.drainDeadline.IsZero() || s.wakeAt.IsZero() || s.wakeAt.After(m.drainDeadline), "nobody will end a worker that drains")
		}
		if m.spare && m.state == ready {
			require.Zero(w.t, m.Served+m.Failed, "a spare worker has had no calls")
		}
	}
	require.Equal(w.t, len(s.live), counts[starting]+counts[ready]+counts[draining])
	require.Equal(w.t, len(s.live), len(w.starting)+len(w.running), "every process is known, and no other")
	require.Equal(w.t, callers, s.callers)
	queued := 0
	for _, waiter := range w.waiters {
		queued += waiter.Size
	}
	require.Equal(w.t, []int{len(w.waiters), queued}, []int{s.queue.Len(), s.queued}, "queue")
	require.LessOrEqual(w.t, len(w.waiters), max(s.config.MaxQueue, 0))
	require.LessOrEqual(w.t, s.queued, s.config.MaxQueueBytes)
	if first := s.queue.Front(); first != nil {
		require.Nil(w.t, s.pick(first.Value.(*Waiter).Size), "a call waits although a worker has time")
	}
	able, spare := 0, 0
	for i := range s.slots {
		if m := s.slots[i].current; m != nil && m.available() {
			able++
			if m.spare {
				spare++
			}
		}
	}
	require.False(w.t, spare > 0 && able-spare < s.config.Workers, "a worker stands by although one is missing")
	for i := range s.slots {
		sl := &s.slots[i]
		if sl.current == nil && (sl.next == nil || sl.missing) && !s.ended && !s.dirty {
			require.False(w.t, s.wakeAt.IsZero() || s.wakeAt.After(sl.retryAt), "nobody will start a worker")
		}
		for _, m := range []*Worker{sl.current, sl.next} {
			if m != nil {
				require.Contains(w.t, s.live, m)
				require.Equal(w.t, i, m.Slot)
			}
		}
		require.False(w.t, sl.current != nil && sl.current == sl.next)
	}
}

func TestSchedulerModel(t *testing.T) {
	seeds, steps := uint64(30), 1000
	if os.Getenv("IPC_LONG") != "" {
		seeds = 5000
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed)
			w.rollouts = append(w.rollouts, w.s.StartRollout(w.now, len(w.s.slots)))
			w.do()
			for range steps {
				w.step()
				w.do()
				w.check()
			}
			w.heals()
			w.ends()
		})
	}
}

// heals holds that from any state, with processes that work, calls get through.
func (w *world) heals() {
	for range 100 {
		w.now = w.now.Add(backoff.MaxDelay)
		for m := range w.starting {
			delete(w.starting, m)
			w.running[m] = true
			w.s.Ready(w.now, m)
		}
		for m := range w.pings {
			delete(w.pings, m)
			w.s.Pong(w.now, m)
		}
		for m := range w.stopped {
			w.exit(m)
		}
		for len(w.calls) > 0 {
			c := w.calls[0]
			w.calls = w.calls[1:]
			if c.left {
				w.s.Release(c.m, c.size)
			} else {
				w.s.Complete(c.m, c.size, false)
			}
			w.collect()
		}
		w.do()
		w.check()
	}
	require.True(w.t, w.s.hasAvailable())
	require.Empty(w.t, w.waiters)
	m := w.s.TryAcquire(1)
	require.NotNil(w.t, m)
	w.give(m, 1)
}

// ends holds that the pool ends in its time, whatever its workers do.
func (w *world) ends() {
	w.s.Shutdown(w.now)
	_, err := w.s.Enqueue(w.now, 1)
	require.ErrorContains(w.t, err, "closed")
	w.do()
	w.check()
	w.now = w.s.deadline
	w.do()
	w.collect()
	require.Empty(w.t, w.s.live)
	require.Empty(w.t, w.waiters)
	for _, r := range w.rollouts {
		require.Len(w.t, r.Result, 1, "every rollout has a result")
	}
	sum := uint64(0)
	for _, n := range w.s.Exits {
		sum += n
	}
	require.EqualValues(w.t, w.starts, sum, "every worker has ended once")
}

// play is a world in which nothing happens by chance: the workers are ready.
func play(t *testing.T, config Config) *world {
	t.Helper()
	w := newWorld(t, 0)
	w.s = New(config.withDefaults())
	w.s.StartRollout(w.now, len(w.s.slots))
	w.do()
	w.getReady()
	return w
}

func (w *world) getReady() {
	for m := range w.starting {
		delete(w.starting, m)
		w.running[m] = true
		w.s.Ready(w.now, m)
	}
	w.do()
}

func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.do()
}

func TestSchedulerKeepsTheOrder(t *testing.T) {
	w := play(t, Config{Concurrency: 1})
	require.NotNil(t, w.s.TryAcquire(1))
	m := w.s.slots[0].current
	var all []*Waiter
	for range 5 {
		waiter, err := w.s.Enqueue(w.now, 1)
		require.NoError(t, err)
		all = append(all, waiter)
	}
	assert.Nil(t, w.s.TryAcquire(1))
	for _, waiter := range all {
		assert.Empty(t, waiter.Assigned)
		w.s.Complete(m, 1, false)
		assert.Len(t, waiter.Assigned, 1)
	}
}

func TestSchedulerTakesTheFewest(t *testing.T) {
	w := play(t, Config{Workers: 3})
	for range 9 {
		require.NotNil(t, w.s.TryAcquire(1))
	}
	for i := range w.s.slots {
		assert.Equal(t, 3, w.s.slots[i].current.InFlight)
	}
}

func TestSchedulerLetsASpareTakeOver(t *testing.T) {
	w := play(t, Config{Workers: 1, Spare: 1})
	first := w.s.TryAcquire(1)
	w.exitCalls(first)
	second := w.s.TryAcquire(1)
	require.NotNil(t, second, "at once")
	assert.NotSame(t, first, second)
	w.s.Complete(second, 1, false)
	w.do()
	w.getReady()
	assert.True(t, w.s.slots[first.Slot].current.spare)
}

// exitCalls ends a worker with its calls, of size 1.
func (w *world) exitCalls(m *Worker) {
	w.s.Drain(w.now, m)
	for m.InFlight > 0 {
		w.s.Complete(m, 1, true)
	}
	w.exit(m)
}

func TestSchedulerReplacesWornWorkers(t *testing.T) {
	for name, config := range map[Reason]Config{
		Calls:  {MaxCalls: 1},
		Age:    {MaxAge: time.Minute},
		Memory: {MaxMemory: 1},
	} {
		t.Run(string(name), func(t *testing.T) {
			w := play(t, config)
			old := w.s.slots[0].current
			require.Same(t, old, w.s.TryAcquire(1))
			w.s.Release(old, 1)
			w.s.Abandon(old, time.Time{})
			if name == Calls {
				require.Same(t, old, w.s.TryAcquire(1))
				w.s.Complete(old, 1, false)
			}
			held := w.s.TryAcquire(1)
			require.Same(t, old, held, "it has calls")
			if name == Memory {
				w.s.Measured(old, 5)
			}
			w.pass(time.Minute)
			require.Len(t, w.starting, 1)
			another := w.s.TryAcquire(1)
			require.Same(t, old, another, "it is soft: until the new one is ready")
			for m := range w.starting {
				delete(w.starting, m)
				w.running[m] = true
				w.s.Ready(w.now, m)
			}
			w.do()
			require.NotSame(t, old, w.s.TryAcquire(1))
			assert.Equal(t, draining, old.state)
			assert.False(t, w.stopped[old], "it has two callers")
			w.s.Complete(old, 1, false)
			w.s.Complete(old, 1, false)
			w.do()
			assert.True(t, w.stopped[old])
			w.exit(old)
			assert.EqualValues(t, 1, w.s.Exits[name])
		})
	}
}

// A pool whose workers are all worn at once keeps its memory: it has one replacement at a time.
func TestSchedulerReplacesWornWorkersInTurn(t *testing.T) {
	for reason, config := range map[Reason]Config{
		Calls:  {Workers: 3, MaxCalls: 1},
		Age:    {Workers: 3, MaxAge: time.Minute},
		Memory: {Workers: 3, MaxMemory: 1},
	} {
		t.Run(string(reason), func(t *testing.T) {
			w := play(t, config)
			var old []*Worker
			for i := range w.s.slots {
				old = append(old, w.s.slots[i].current)
			}
			for _, m := range old {
				switch reason {
				case Calls:
					w.s.assign(m, 1)
					w.s.Complete(m, 1, false)
				case Age:
					m.expires = w.now
				case Memory:
					w.s.Measured(m, 2)
				}
			}
			for replaced := range old {
				for range 2 {
					actions, _, _ := w.s.Tick(w.now)
					w.carryOut(actions)
					require.Len(t, w.starting, 1)
					require.Len(t, w.stopped, replaced, "the others go on")
				}
				w.getReady()
			}
			require.Empty(t, w.starting)
			for i, m := range old {
				assert.True(t, w.stopped[m])
				assert.NotSame(t, m, w.s.slots[i].current)
			}
		})
	}
}

// A flood of refusals does not flood the log, which has all of them in the end.
func TestSchedulerReportsRefusalsTogether(t *testing.T) {
	w := play(t, Config{MaxQueue: -1, PingTimeout: -1})
	refuse := func(times int) {
		for range times {
			_, err := w.s.Enqueue(w.now, 1)
			requireCode(t, protocol.CodeOverloaded, err)
			w.do()
		}
	}
	refuse(3)
	require.Equal(t, []Refusals{{QueueFull: 1}}, w.reports, "the first one at once")
	w.pass(10*time.Second - 1)
	refuse(2)
	require.Len(t, w.reports, 1)
	w.pass(1)
	require.Equal(t, Refusals{QueueFull: 4}, w.reports[len(w.reports)-1])
	w.pass(10 * time.Second)
	w.pass(time.Hour)
	require.Len(t, w.reports, 2, "there is nothing to report")
	refuse(1)
	require.Equal(t, []Refusals{{QueueFull: 1}, {QueueFull: 4}, {QueueFull: 1}}, w.reports)
}

func TestSchedulerReplacesOneThatIgnoresATimeout(t *testing.T) {
	w := play(t, Config{})
	old := w.s.TryAcquire(1)
	require.Same(t, old, w.s.TryAcquire(1))
	require.Same(t, old, w.s.TryAcquire(1))
	grace := w.s.config.CancelGrace
	w.calls = []*playedCall{
		{m: old, size: 1, left: true, due: w.now.Add(grace)},
		{m: old, size: 1, left: true, due: w.now.Add(time.Second)}, // answered in time
		{m: old, size: 1},
	}
	for _, c := range w.calls[:2] {
		w.s.Abandon(old, c.due)
	}
	w.pass(time.Second / 2)
	w.calls = append(w.calls[:1], w.calls[2])
	w.s.Release(old, 1)
	w.pass(time.Second / 2)
	w.pass(grace - time.Second - 1)
	assert.Equal(t, ready, old.state)
	w.pass(1)
	assert.Equal(t, draining, old.state)
	w.do()
	w.getReady()
	assert.NotSame(t, old, w.s.TryAcquire(1))
	assert.False(t, w.stopped[old], "its other call goes on")
	w.s.Complete(old, 1, false)
	w.do()
	assert.True(t, w.stopped[old])
}

// A spare worker that did not answer its ping when it was needed is not forgotten.
func TestSchedulerPingsASpare(t *testing.T) {
	w := play(t, Config{Spare: 1})
	first := w.s.TryAcquire(1)
	w.s.Complete(first, 1, false)
	w.pass(10 * time.Second)
	require.Len(t, w.pings, 2)
	w.s.Pong(w.now, first)
	w.pass(10 * time.Second)
	spare := w.s.slots[1-first.Slot].current
	require.False(t, spare.available())
	w.exit(first)
	require.Nil(t, w.s.TryAcquire(1))
	w.s.Pong(w.now, spare)
	assert.Same(t, spare, w.s.TryAcquire(1))
}

func TestSchedulerPings(t *testing.T) {
	w := play(t, Config{})
	m := w.s.slots[0].current
	w.pass(10 * time.Second)
	require.True(t, w.pings[m])
	w.pass(50 * time.Millisecond)
	w.s.Pong(w.now, m)
	assert.Equal(t, 50*time.Millisecond, m.Lag)
	w.pass(10 * time.Second)
	w.pass(10 * time.Second)
	assert.Nil(t, w.s.TryAcquire(1), "a worker that does not answer gets no calls")
	assert.False(t, w.s.hasAvailable())
	waiter, err := w.s.Enqueue(w.now, 1)
	require.NoError(t, err)
	w.s.Pong(w.now, m)
	assert.Len(t, waiter.Assigned, 1, "it is back")
	w.s.Complete(<-waiter.Assigned, 1, false)
	w.pass(10 * time.Second)
	w.pass(10 * time.Second)
	w.pass(20*time.Second - 1)
	assert.True(t, w.running[m])
	w.pass(1)
	assert.False(t, w.running[m], "killed")
	assert.EqualValues(t, 1, w.s.Exits[PingTimeout])

	w = play(t, Config{})
	w.pass(10 * time.Second)
	w.pass(time.Hour)
	assert.Len(t, w.running, 1, "it may be this process that stood still")
}

func TestSchedulerRollsOut(t *testing.T) {
	w := play(t, Config{Workers: 2, Spare: 1})
	old := []*Worker{w.s.slots[0].current, w.s.slots[1].current, w.s.slots[2].current}
	r := w.s.StartRollout(w.now, 1)
	for range 3 {
		w.do()
		require.Len(t, w.starting, 1, "one after the other")
		for i, m := range old {
			require.Same(t, m, w.s.slots[i].current)
			require.Equal(t, ready, m.state)
		}
		w.getReady()
	}
	require.NoError(t, <-r.Result)
	for i, m := range old {
		assert.NotSame(t, m, w.s.slots[i].current)
		assert.True(t, w.stopped[m])
	}
	require.NotNil(t, w.s.TryAcquire(1))
}

func TestSchedulerRollsBack(t *testing.T) {
	w := play(t, Config{Workers: 2})
	old := []*Worker{w.s.slots[0].current, w.s.slots[1].current}
	r := w.s.StartRollout(w.now, 1)
	w.do()
	w.getReady()
	require.Len(t, w.starting, 1)
	for m := range w.starting {
		w.exit(m)
	}
	require.ErrorContains(t, <-r.Result, "played")
	w.do()
	assert.Len(t, w.stopped, 1, "the one that was ready")
	for i, m := range old {
		assert.Same(t, m, w.s.slots[i].current)
		assert.Equal(t, ready, m.state)
	}
}

func TestSchedulerWithoutAWorker(t *testing.T) {
	w := play(t, Config{MaxQueue: 10})
	w.exit(w.s.slots[0].current)
	w.do() // started again at once
	waiter, err := w.s.Enqueue(w.now, 1)
	require.NoError(t, err)
	requireCode(t, protocol.CodeWorkerUnavailable, w.s.Expire(w.now))
	for m := range w.starting {
		w.exit(m)
	}
	for len(waiter.Assigned) == 0 { // the tries come ever later
		w.pass(w.s.slots[0].retryAt.Sub(w.now))
		for m := range w.starting {
			w.exit(m)
		}
	}
	assert.Greater(t, w.s.slots[0].retryAt.Sub(w.now), w.s.config.QueueTimeout, "as long as one is due calls wait")
	assert.Nil(t, <-waiter.Assigned, "and not for what comes too late")
	requireCode(t, protocol.CodeWorkerUnavailable, waiter.Err)
	assert.Greater(t, protocol.Public(waiter.Err).RetryAfter, w.s.config.QueueTimeout)
	_, err = w.s.Enqueue(w.now, 1)
	requireCode(t, protocol.CodeWorkerUnavailable, err)
	assert.Equal(t, Refusals{NoWorker: 3}, w.s.Refused)

	w.pass(backoff.MaxDelay)
	w.getReady()
	requireCode(t, protocol.CodeOverloaded, w.s.Expire(w.now))
}

func TestSchedulerBoundsACrashLoop(t *testing.T) {
	w := play(t, Config{})
	end := w.now.Add(time.Minute)
	for w.now.Before(end) {
		for m := range w.running {
			w.exit(m)
		}
		wait, down := w.s.down(w.now)
		if down && wait > w.s.config.QueueTimeout {
			_, err := w.s.Enqueue(w.now, 1)
			e := protocol.Public(err)
			assert.Equal(t, protocol.CodeWorkerUnavailable, e.Code)
			assert.Positive(t, e.RetryAfter)
		}
		actions, wakeAt, _ := w.s.Tick(w.now)
		if len(actions) == 0 {
			w.now = wakeAt
		}
		w.carryOut(actions)
		w.do()
		w.getReady()
	}
	assert.LessOrEqual(t, w.s.slots[0].starts, 12)
}

// A call without a queue is refused with when to come again.
func TestSchedulerWithoutAQueueSaysWhen(t *testing.T) {
	w := play(t, Config{MaxQueue: -1})
	for range 2 {
		w.exit(w.s.slots[0].current)
		w.do()
		w.getReady()
	}
	_, err := w.s.Enqueue(w.now, 1)
	requireCode(t, protocol.CodeWorkerUnavailable, err)
	assert.Positive(t, protocol.Public(err).RetryAfter)
}

// What drains without end has its calls cancelled, and is stopped.
func TestSchedulerBoundsADrain(t *testing.T) {
	for _, cancels := range []bool{true, false} {
		w := play(t, Config{Cancels: cancels, DrainTimeout: time.Minute})
		old := w.s.TryAcquire(1)
		w.calls = []*playedCall{{m: old, size: 1}}
		w.s.StartRollout(w.now, 1)
		w.do()
		w.getReady()
		require.Equal(t, draining, old.state)
		w.do()
		w.pass(time.Minute - 1)
		assert.False(t, w.cancelled[old] || w.stopped[old])
		w.pass(1)
		if cancels {
			assert.True(t, w.cancelled[old])
			assert.False(t, w.stopped[old], "its calls may end well")
			w.pass(w.s.config.CancelGrace)
		}
		assert.True(t, w.stopped[old])
	}
	w := play(t, Config{DrainTimeout: -1})
	old := w.s.TryAcquire(1)
	w.s.StartRollout(w.now, 1)
	w.do()
	w.getReady()
	w.pass(24 * time.Hour)
	assert.False(t, w.cancelled[old] || w.stopped[old], "it has no bound")
}

// A worker that ends while its successor takes its time is replaced like any other.
func TestSchedulerReplacesAWorkerInARollout(t *testing.T) {
	end := map[string]func(w *world, r *Rollout, next, another *Worker){
		"the new one is ready first": func(w *world, r *Rollout, next, another *Worker) {
			w.ready(next)
			require.NoError(w.t, <-r.Result)
			assert.Same(w.t, next, w.s.slots[0].current)
			w.do()
			assert.NotContains(w.t, w.starting, another)
		},
		"the replacement is ready first": func(w *world, r *Rollout, next, another *Worker) {
			w.ready(another)
			require.Same(w.t, another, w.s.TryAcquire(1))
			w.s.Complete(another, 1, false)
			w.ready(next)
			require.NoError(w.t, <-r.Result)
			assert.Same(w.t, next, w.s.slots[0].current)
			assert.True(w.t, w.stopped[another])
		},
		"the rollout fails": func(w *world, r *Rollout, next, another *Worker) {
			w.exit(next)
			require.Error(w.t, <-r.Result)
			w.ready(another)
			assert.Same(w.t, another, w.s.TryAcquire(1))
		},
	}
	for name, end := range end {
		t.Run(name, func(t *testing.T) {
			w := play(t, Config{})
			r := w.s.StartRollout(w.now, 1)
			w.do()
			next := w.s.slots[0].next
			w.exit(w.s.slots[0].current)
			w.do()
			require.Len(t, w.starting, 2, "at once")
			another := w.s.slots[0].current
			require.NotSame(t, next, another)
			end(w, r, next, another)
		})
	}
	t.Run("recycling", func(t *testing.T) { // who is to take its place is on its way already
		w := play(t, Config{MaxAge: time.Minute})
		w.pass(time.Minute)
		require.Len(t, w.starting, 1)
		next := w.s.slots[0].next
		w.exit(w.s.slots[0].current)
		w.do()
		require.Len(t, w.starting, 1)
		w.ready(next)
		assert.Same(t, next, w.s.TryAcquire(1))
	})
}

func (w *world) ready(m *Worker) {
	delete(w.starting, m)
	w.running[m] = true
	w.s.Ready(w.now, m)
	w.do()
}

// After two crashes a worker has one call at first, and more with each that it answers, so
// that a call that ends it takes few with it.
func TestSchedulerStartsSlowlyInACrashLoop(t *testing.T) {
	w := play(t, Config{})
	for range 2 {
		w.exit(w.s.slots[0].current)
		w.pass(time.Second)
		w.getReady()
	}
	m := w.s.TryAcquire(1)
	require.NotNil(t, m)
	assert.Nil(t, w.s.TryAcquire(1))
	for range 4 * slowStartPart {
		_, err := w.s.Enqueue(w.now, 1)
		require.NoError(t, err)
	}
	for answered := range 3 * slowStartPart {
		assert.Equal(t, 1+answered/slowStartPart, m.InFlight)
		w.s.Complete(m, 1, answered%2 == 0)
	}
	w.pass(slowStartTime)
	assert.Zero(t, w.s.queue.Len(), "it has lived")
	for range 10 {
		require.Same(t, m, w.s.TryAcquire(1))
	}
	for _, first := range []bool{true, false} { // also if its first call never ends
		w.exitCalls(m)
		w.pass(time.Second)
		w.getReady()
		m = w.s.TryAcquire(1)
		require.NotNil(t, m)
		if first {
			waiter, err := w.s.Enqueue(w.now, 1)
			require.NoError(t, err)
			w.pass(slowStartTime)
			assert.Len(t, waiter.Assigned, 1)
		}
	}
}

// Places that are taken by calls that nobody waits for may never come free.
func TestSchedulerKnowsWhenItHasNoPlaces(t *testing.T) {
	w := play(t, Config{Concurrency: 2})
	m := w.s.TryAcquire(1)
	require.NotNil(t, w.s.TryAcquire(1))
	assert.True(t, w.s.HasPlaces(), "full, but not for ever")
	w.s.Abandon(m, time.Time{})
	assert.True(t, w.s.HasPlaces(), "somebody waits for the other one")
	w.s.Abandon(m, time.Time{})
	assert.False(t, w.s.HasPlaces())
	assert.True(t, w.s.hasAvailable())
	w.s.Release(m, 1)
	assert.True(t, w.s.HasPlaces())
	require.NotNil(t, w.s.TryAcquire(maxInFlightBytes-1))
	w.s.Abandon(m, time.Time{})
	assert.False(t, w.s.HasPlaces(), "all bytes are taken")
}

func requireCode(t *testing.T, want protocol.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, protocol.Public(err).Code)
}
