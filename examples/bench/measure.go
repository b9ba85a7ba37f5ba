package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// A bench is what the command line asks for.
type bench struct {
	dir        string
	rounds     int
	duration   time.Duration
	contenders []contender
	loads      []load
}

// run measures every contender in every round, one after the other.
func (b *bench) run(ctx context.Context) (*results, error) {
	r := newResults()
	for round := range b.rounds {
		for _, c := range b.contenders {
			for _, workers := range []int{1, 2} {
				err := b.runContender(ctx, r, c, workers)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				if err != nil { // the others can still be measured
					progress("round %d, %s: %v", round+1, c.name, err)
					r.notes = append(r.notes, fmt.Sprintf("Round %d, %s: %v", round+1, c.title, err))
				}
			}
		}
		progress("round %d of %d is done", round+1, b.rounds)
	}
	return r, nil
}

// runContender measures all loads for that number of workers.
func (b *bench) runContender(ctx context.Context, r *results, c contender, workers int) (err error) {
	var mine []*load
	for i := range b.loads {
		if l := &b.loads[i]; l.workers == workers && c.runs(l) {
			mine = append(mine, l)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	p, err := start(ctx, c, b.dir, workers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := checkToken(ctx, p.Addr, mine[0]); err != nil {
		return err
	}
	if workers == 1 {
		pause(ctx, settleTime)
		f := unknown()
		if err := f.setMemory(p); err != nil {
			return err
		}
		r.add(c.name, idle, f)
	}
	for _, l := range mine {
		f, failure, err := b.measure(ctx, p, l)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		r.add(c.name, l.name, f)
		if failure != nil {
			r.notes = append(r.notes, fmt.Sprintf("%s, %s: %v", c.title, l.name, failure))
		}
		progress("%-10s  %-8s  %8.0f/s  %v failed", c.name, l.name, f[rate], f[failures])
	}
	return nil
}

const settleTime = 200 * time.Millisecond // for what goes on at the start of a server

// snapshot is the state of a contender's processes at a mark.
type snapshot struct {
	server, workers usage
	mallocs         float64
}

func (p *process) snapshot() (s snapshot, err error) {
	if s.mallocs, err = p.mallocs(); err != nil {
		return s, err
	}
	if s.server, err = usageOf([]int{p.pid}); err != nil {
		return s, err
	}
	s.workers, err = usageOf(p.Workers)
	return s, err
}

// measure returns the figures of one load, and one of the failures of its calls.
func (b *bench) measure(ctx context.Context, p *process, l *load) (f figures, failure, err error) {
	f = unknown()
	var marks []snapshot
	watch := p.watchMemory()
	t, err := drive(ctx, p.Addr, l, b.duration/4, b.duration, func() error {
		s, err := p.snapshot()
		marks = append(marks, s)
		return err
	})
	peak, watchErr := watch()
	if err := errors.Join(err, watchErr); err != nil {
		return f, nil, err
	}
	if reason := t.err.Load(); reason != nil {
		failure = *reason
	}
	first, last := marks[0], marks[1]
	calls := float64(t.latency.count())
	f[failures] = float64(t.failed.Load())
	f[serverMemory], f[workerMemory], f[memory] = peak[serverMemory], peak[workerMemory], peak[memory]
	f[rate] = calls / t.elapsed.Seconds()
	if calls == 0 {
		return f, failure, nil
	}
	f[p50] = float64(t.latency.quantile(0.50)) / float64(time.Millisecond)
	f[p99] = float64(t.latency.quantile(0.99)) / float64(time.Millisecond)
	f[serverCPU] = microseconds(last.server.cpu-first.server.cpu) / calls
	f[workerCPU] = microseconds(last.workers.cpu-first.workers.cpu) / calls
	f[cpu] = f[serverCPU] + f[workerCPU]
	f[allocations] = (last.mallocs - first.mallocs) / calls
	if last.server.calls >= 0 && last.workers.calls >= 0 {
		f[systemCalls] = float64(last.server.calls-first.server.calls+last.workers.calls-first.workers.calls) / calls
	}
	return f, failure, nil
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func (f *figures) setMemory(p *process) (err error) {
	if f[serverMemory], err = memoryOf([]int{p.pid}); err != nil {
		return err
	}
	f[workerMemory], err = memoryOf(p.Workers)
	f[memory] = f[serverMemory] + f[workerMemory]
	return err
}

// watchMemory looks at the memory of a contender until the returned function is called,
// which returns the most that was seen.
func (p *process) watchMemory() func() (figures, error) {
	var most figures
	var err error
	over := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for err == nil {
			var now figures
			err = now.setMemory(p)
			for i := range most {
				most[i] = math.Max(most[i], now[i])
			}
			select {
			case <-over:
				return
			case <-ticker.C:
			}
		}
	})
	return func() (figures, error) {
		close(over)
		watcher.Wait()
		return most, err
	}
}
