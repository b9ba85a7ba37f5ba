package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bluelibs/go-tunnel/ipc"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tunnel_pool_"+name, help, labels, nil)
}

var (
	workers     = desc("workers", "Workers by place and state.", "slot", "state")
	workerCalls = desc("worker_calls", "Calls that the workers of a place have.", "slot")
	memory      = desc("worker_memory_bytes", "Resident memory of the workers of a place.", "slot")
	lag         = desc("worker_lag_seconds", "How long the last answer to a ping took, the longest of a place.", "slot")
	starts      = desc("worker_starts_total", "Processes started in a place.", "slot")
	exits       = desc("worker_exits_total", "Ends of workers.", "reason")
	queued      = desc("queue_calls", "Calls that wait for a worker.")
	queuedBytes = desc("queue_bytes", "Size of the inputs of calls that wait.")
	oldestWait  = desc("queue_oldest_wait_seconds", "How long the first call in the queue has waited.")
	waits       = desc("queue_wait_seconds", "How long calls waited that had to wait and got a worker.")
	served      = desc("served_total", "Calls that workers have answered.")
	failed      = desc("failed_total", "Of them, those that were answered with an error.")
	refused     = desc("refused_total", "Calls that got no worker.", "reason")
	replays     = desc("replays_total", "Calls given to another worker because theirs ended.")
	cancels     = desc("cancels_total", "Calls given up that a worker had.")
	timeouts    = desc("timeouts_total", "Calls given up because their time was over.")
)

// reasons exist from the start, so that the first exit increases a counter.
var reasons = []ipc.ExitReason{
	ipc.ExitCrash, ipc.ExitStart, ipc.ExitPing, ipc.ExitTimeout, ipc.ExitCalls,
	ipc.ExitAge, ipc.ExitMemory, ipc.ExitRestart, ipc.ExitRollback, ipc.ExitStop,
}

type pool struct {
	stats func() ipc.Stats
}

// NewPool returns a collector of the stats of a pool. Stats is usually the method Stats of an
// ipc.Pool; it is called once per scrape. The metrics begin with tunnel_pool_; worker_exits_total
// counts restarts by reason. For several pools wrap the registerer with a label.
func NewPool(stats func() ipc.Stats) prometheus.Collector {
	return pool{stats}
}

func (pool) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		workers, workerCalls, memory, lag, starts, exits, queued, queuedBytes, oldestWait, waits, served, failed, refused, replays, cancels, timeouts,
	} {
		ch <- d
	}
}

func (p pool) Collect(ch chan<- prometheus.Metric) {
	stats := p.stats()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	for slot, s := range placesOf(stats.Workers) {
		name := strconv.Itoa(slot)
		for _, state := range []ipc.WorkerState{
			ipc.StateStarting, ipc.StateReady, ipc.StateSpare, ipc.StateStalled, ipc.StateDraining, ipc.StateExited,
		} {
			gauge(workers, float64(s.states[state]), name, string(state))
		}
		gauge(workerCalls, float64(s.calls), name)
		gauge(memory, float64(s.memory), name)
		gauge(lag, s.lag.Seconds(), name)
		counter(starts, uint64(s.starts), name)
	}
	for _, reason := range reasons {
		counter(exits, stats.Exits[reason], string(reason))
	}
	gauge(queued, float64(stats.Queued))
	gauge(queuedBytes, float64(stats.QueuedBytes))
	gauge(oldestWait, stats.OldestWait.Seconds())
	ch <- prometheus.MustNewConstSummary(waits, stats.Waits, stats.WaitTime.Seconds(), nil)
	counter(served, stats.Served)
	counter(failed, stats.Failed)
	counter(refused, stats.Refused.QueueFull, "full")
	counter(refused, stats.Refused.QueueTimeout, "late")
	counter(refused, stats.Refused.NoWorker, "down")
	counter(refused, stats.Refused.Closed, "closed")
	counter(replays, stats.Retries)
	counter(cancels, stats.Cancels)
	counter(timeouts, stats.Timeouts)
}

// place has the sums over the workers of a slot: a new one and those that drain.
type place struct {
	states        map[ipc.WorkerState]int
	calls, starts int
	memory        int64
	lag           time.Duration
}

func placesOf(workers []ipc.WorkerStats) map[int]place {
	places := map[int]place{}
	for _, w := range workers {
		p, ok := places[w.Slot]
		if !ok {
			p.states = map[ipc.WorkerState]int{}
		}
		p.states[w.State]++
		p.calls += w.InFlight
		p.memory += w.Memory
		p.lag = max(p.lag, w.Lag)
		p.starts = w.Starts
		places[w.Slot] = p
	}
	return places
}
