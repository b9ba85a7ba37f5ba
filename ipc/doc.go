// Package ipc runs tasks and events in worker processes, Node.js ones as a rule,
// which it starts, feeds over pipes and restarts. A [Pool] is an executor for a
// tunnel.Handler:
//
//	pool, err := ipc.Start(ctx, ipc.Node("tasks.mjs"))
//	…
//	defer pool.Close()
//	http.Handle("/__runner/", tunnel.New(pool, tunnel.Config{Tokens: []string{"secret"}}))
//
// The module exports its tasks, or a running Runner application, and needs nothing
// else: see [Node], [Bun] and [Deno], and node/README.md for what works with which. What it serves is what the pool lists, so that the handler needs no
// allow-list of its own, and [Pool.Authenticate] lets it decide about callers.
//
// # What happens when
//
// The server never ends because of a worker. What callers get, and what happens then:
//
//   - A task throws: 500 INTERNAL_ERROR, or the typed error with its own id, data and
//     status. The worker goes on. The text of an error that is not meant for callers is in
//     the log.
//   - A worker crashes, is killed or runs out of memory: the calls that it had fail at
//     once with 502 WORKER_CRASHED, as they may have been done or not; those that are
//     idempotent (Options.Idempotent) go to another worker instead, once. Calls that wait in
//     the queue go on waiting. The log has the exit state and the last lines of standard
//     error. The next worker is started at once, the one after it 0.1 s later, doubling to
//     30 s while none answers a call, until one has lived for a minute or answered a hundred
//     calls. With Options.Spares one that is ready takes over.
//   - One caller's calls crash worker after worker: the others wait until the next one is
//     ready. That has one call at first, and few more with those that it answers, for up to
//     a second: a call that ends it takes few with it.
//   - A worker closes one of its pipes: it gets no more calls, and if it has not ended a
//     second later it is killed, as in a crash.
//   - No worker can be started, after a bad deployment for example: calls wait while the
//     next try is due within QueueTimeout. Then they are refused with 503
//     WORKER_UNAVAILABLE, those that wait too, and Retry-After says when the next try is.
//     [Pool.Ready] reports false all the time. It heals with the first worker that starts.
//     Start itself fails if the first workers do not become ready.
//   - A task hangs: its caller waits, for ever without Options.TaskTimeout. With it the
//     caller gets 504 TASK_TIMEOUT, and the call is cancelled in the worker (the
//     handler's signal aborts). A worker that has not answered it CancelGrace later gets no
//     more calls, is replaced, and ends after its other calls.
//   - A worker's event loop is blocked: it does not answer a ping. After a third of
//     Options.PingTimeout it gets no more calls; at the end it is killed, as in a crash.
//     (The plain wire has no pings.) An endless loop, with the defaults and a TaskTimeout of
//     2 s: 504 for its caller after 2 s, no more calls for the worker and a new one in its
//     place after 7 s, killed after 30 to 40 s, with 502 for whom it still had. Shorter times
//     suit short tasks.
//   - More calls come than workers have room for: they wait, up to MaxQueue and
//     MaxQueueBytes together and QueueTimeout each, and are refused with 503 OVERLOADED and
//     Retry-After beyond that. The log says how many, now and then.
//   - A caller leaves: its call leaves the queue, or is cancelled in the worker. It counts
//     as one of the worker's calls until that has answered, for which the worker has what is
//     left of the TaskTimeout, and CancelGrace. Without a TaskTimeout it has CancelGrace alone:
//     a handler that goes on for longer when nobody waits, and is not to cost its worker, needs
//     a TaskTimeout. (The plain wire cannot cancel, and has no bound without one.) While such
//     calls have all places of all workers, [Pool.Ready] reports false.
//   - A worker leaks memory: MaxMemory, MaxAge or MaxCalls let a new one take its place
//     when that is ready, without a failed call.
//   - A worker that is being replaced does not come to its end, because of a stream that has
//     none for example: after DrainTimeout its calls are cancelled (their signals abort), their
//     streams are cut, and CancelGrace later it is stopped.
//   - A new version is deployed: [Pool.Restart] starts new workers beside the old ones,
//     which end after their calls, or DrainTimeout later. If a new one does not become ready,
//     the old ones stay. Another Restart takes the place of one that is under way.
//     A worker that takes the place of one that has ended runs the files as they are then:
//     put a version into a folder of its own, let Command name a symbolic link, and switch
//     that just before Restart, and back if it fails.
//   - A worker stops, because it is replaced or the server stops: its input ends, at half of
//     Options.StopTimeout its process and their children get SIGTERM, and at its end SIGKILL,
//     on both wires. On the framed one it answers the calls that it has, waits for them no
//     longer from SIGTERM on, and then lets the application dispose of itself (the module's
//     dispose, or that of a Runner application). One that is killed is logged at Warn.
//   - The server stops: let http.Server.Shutdown end the requests first, then call
//     [Pool.Shutdown], which lets calls under way finish within StopTimeout. The order is in
//     examples/deploy.
//   - The server is killed: its workers end with it, on Linux at once, elsewhere by the
//     end of their input; a shell kills their children. In a container process 1 should be
//     an init, which waits for what workers leave behind.
//   - A worker prints more than the log takes, or the log stands still: the rest is dropped
//     and counted; neither the worker nor the pool ever waits for it.
//
// [Pool.Stats] counts all of it.
//
// # Sizing
//
// A worker is one event loop, and Workers says how many there are. For tasks that wait
// (databases, HTTP) one is enough until its CPU is busy: calls per second are at most
// Workers × Concurrency ÷ the time of a task, which for one worker, the default of 1024
// and 50 ms is 20,000. For tasks that compute, one worker for each CPU that is free, and a
// small Concurrency (4, say), so that calls wait in the queue, where any worker can take
// them, and not behind another one in an event loop. Stats tells which: Lag grows where
// event loops are busy, Waits and WaitTime where Concurrency is used up.
//
// Memory is that of the server, which holds each body that is being read (up to
// Limits.MaxBody), MaxQueueBytes of waiting inputs, up to 64 MiB of inputs that each
// worker has, and results, up to MaxAnswer each: twice that while one is read from a
// worker, and once until its caller has it (a hundred callers of results of 100 MB take 10
// GB: return streams, which take 256 KiB each); and that of the workers: Node.js takes 45 to 55 MiB, as Bun and Deno do, before the
// application has anything, and up to 48 MiB more for short-lived objects under load. Node("app.js",
// "--max-semi-space-size=2") has taken a worker with 33,000 calls a second from 123 to 74 MiB,
// for 2 % of the calls; one that makes large objects would lose more. Node adds
// "--initial-old-space-size=128", with which V8 collects old garbage at 128 MiB for the first time:
// small calls bring its own limit so far down that the buffers of uploads reach it again and
// again, at up to half of the worker's CPU. An application that leaves old garbage may grow by as
// much. After 120,000 small calls a Runner application has had 102 MiB without the flag and 84
// with it on Node.js 20, but 155 and 174 on 22; 40,000 left 144 and 98 on 24, 140 and 101 on 26; a
// module with a heap of 80 MiB took 138 and 140. Where the heap's limit is low (MaxHeap, or a small
// container), half of that limit counts instead. A flag of your own counts, too:
// "--initial-old-space-size=64" for Node.js 22, "=1" for V8's own way. While a worker is
// replaced there are two. Restart doubles all of them for a moment: it starts all slots'
// new workers before the first old one ends.
//
// Each worker sets its own bound for its JavaScript heap by the memory of the machine or the
// container, without knowing of the others: Node.js and Deno take up to half of it, at
// most 4 GiB, and may leave garbage lie until they near that. N workers in a container together
// may want N halves, and the kernel kills one of them, or the server, without a word.
// Options.MaxHeap is for each worker: (memory - what the server needs) ÷ (workers + those
// that are being replaced), less 64 MiB for what is not in the heap. A worker that outgrows it
// ends as in a crash, with V8's last words in the log; MaxMemory, set lower, replaces it before
// that, without a failed call. Bun takes MaxHeap for a hint, so that it needs MaxMemory.
//
// Nothing is kept between requests but what tasks keep. State in the memory of tasks is
// per worker: with more than one, or more than one machine, it belongs into a database.
// Beyond one machine a server is a stateless HTTP service behind any load balancer, whose
// idle timeout is to be shorter than the server's.
//
// # Goroutines
//
// A pool has three goroutines of its own, one that supervises, one that starts processes
// and one that logs, and each worker has one that runs it, one that takes its output to the
// log, and one for each of its pipes. A call has one for each stream of its request that the
// worker reads, and none otherwise. On Unix a pool has a shell as a helper process, which
// kills the workers should this process be killed, and a goroutine that starts another one
// should the shell be killed. All end with Close or Shutdown, but for a goroutine that a log
// handler does not let go: it ends after that.
//
// # The wires
//
// Package [github.com/bluelibs/go-tunnel/ipc/internal/wire] specifies both wires: the
// framed wire, which Node and the npm package @bluelibs/tunnel-worker speak, and
// PlainWire, lines of JSON, with what a worker in any language has to see to.
package ipc
