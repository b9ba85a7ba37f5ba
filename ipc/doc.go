// Package ipc runs tasks and events in worker processes, usually of Node.js. It starts them, sends
// them calls over pipes, and restarts them. A [Pool] is an executor for a tunnel.Handler:
//
//	pool, err := ipc.Start(ctx, ipc.Node("tasks.mjs"))
//	…
//	defer pool.Close()
//	http.Handle("/__runner/", tunnel.New(pool, tunnel.Config{Tokens: []string{"secret"}}))
//
// The module exports its tasks, or a running Runner application, and needs nothing else: see
// [Node], [Bun] and [Deno], and node/README.md for what works with which. The pool lists what the
// module serves, so that the handler needs no allow-list of its own, and with [Pool.Authenticate]
// the module decides which callers are allowed.
//
// # What happens when
//
// The server never ends because of a worker. This is what happens then, and what callers get:
//
//   - A task throws: the caller gets 500 INTERNAL_ERROR, or the typed error with its own id, data
//     and status. The worker goes on. If the text of the error is not meant for callers, it is in
//     the log.
//   - A worker crashes, is killed or runs out of memory: its calls fail at once with 502
//     WORKER_CRASHED, since they may have been done or not. Idempotent calls (Options.Idempotent)
//     go to another worker instead, once. Calls in the queue keep waiting. The log has the exit
//     state and the last lines of standard error. The next worker starts at once, the one after it
//     after 0.1 s. The pause doubles up to 30 s while no worker answers a call, and is reset when a
//     worker has lived for a minute or has answered a hundred calls. With Options.Spares a worker
//     that is ready takes over.
//   - One caller's calls crash worker after worker: the other callers wait for the next worker. It
//     starts with one call, and gets a few more with each answer for up to a second, so that a call
//     that crashes it affects few others.
//   - A worker closes one of its pipes: it gets no more calls. If it has not ended a second later,
//     it is killed, as in a crash.
//   - No worker can be started, after a bad deployment for example: calls wait if the next try is
//     due within QueueTimeout. Otherwise new and waiting calls are refused with 503
//     WORKER_UNAVAILABLE, and Retry-After says when the next try is. [Pool.Ready] reports false all
//     the time. The first worker that starts ends this. Start itself fails if the first workers do
//     not become ready.
//   - A task hangs: its caller waits, for ever without Options.TaskTimeout. With it the caller gets
//     504 TASK_TIMEOUT, and the call is cancelled in the worker (the handler's signal aborts). If
//     the worker has not answered the call CancelGrace later, it gets no more calls, is replaced,
//     and ends after its other calls.
//   - A worker's event loop is blocked: the worker does not answer a ping. After a third of
//     Options.PingTimeout it gets no more calls; at the end it is killed, as in a crash. (The plain
//     wire has no pings.) For example an endless loop, with the defaults and a TaskTimeout of 2 s:
//     its caller gets 504 after 2 s; after 7 s the worker gets no more calls and a new one takes its
//     place; after 30 to 40 s it is killed, and its other callers get 502. Shorter times suit short
//     tasks.
//   - More calls come than workers have room for: calls wait, up to MaxQueue and MaxQueueBytes
//     together and for QueueTimeout each. Further calls are refused with 503 OVERLOADED and
//     Retry-After. The log says how many, every 10 s at most.
//   - A caller disconnects: its call is removed from the queue, or cancelled in the worker. It
//     counts as one of the worker's calls until the worker has answered it. The worker has the rest
//     of the TaskTimeout for that, and CancelGrace; without a TaskTimeout it has only CancelGrace.
//     If a handler may go on for longer after its caller has disconnected, give it a TaskTimeout, or
//     its worker is replaced. (The plain wire cannot cancel, and has no bound without a
//     TaskTimeout.) While such calls take all places of all workers, [Pool.Ready] reports false.
//   - A worker leaks memory: with MaxMemory, MaxAge or MaxCalls a new worker takes its place when
//     the new one is ready. No call fails.
//   - A worker that is being replaced does not end, because of an endless stream for example: after
//     DrainTimeout its calls are cancelled (their signals abort), and their streams break off. The
//     worker is stopped CancelGrace later.
//   - A new version is deployed: [Pool.Restart] starts new workers beside the old ones, which end
//     after their calls, or DrainTimeout later. If a new worker does not become ready, the old ones
//     stay. Another Restart replaces a Restart that is under way. A worker that replaces a crashed
//     one runs the files as they are at that time: put each version into a folder of its own, make
//     Command name a symbolic link, and switch the link just before Restart, and back if it fails.
//   - A worker is stopped, because it is replaced or the server stops: its input ends; at half of
//     Options.StopTimeout its process and its children get SIGTERM, and at its end SIGKILL. On the
//     framed wire the worker answers its calls, for which it has until SIGTERM, and then disposes of
//     its application (the module's dispose, or that of the Runner application). If it has to be
//     killed, the log has a warning.
//   - The server stops: call http.Server.Shutdown first, which ends the requests, and then
//     [Pool.Shutdown], which gives calls under way StopTimeout. examples/deploy has the order.
//   - The server is killed: its workers end with it, on Linux at once, elsewhere at the end of their
//     input; a shell kills their children. In a container process 1 should be an init, which reaps
//     the processes whose parents have ended.
//   - A worker prints more than the log takes, or the log stands still: the rest is dropped and
//     counted. Neither the worker nor the pool waits for the log.
//
// [Pool.Stats] counts all of it.
//
// # Sizing
//
// A worker is one event loop, and Workers is the number of event loops. For tasks that wait
// (databases, HTTP) one worker is enough until its CPU is busy: calls per second are at most
// Workers × Concurrency ÷ the time of a task. That is 20,000 for one worker, the default of 1024
// and 50 ms. For tasks that compute, use one worker for each free CPU and a small Concurrency (4,
// say): calls then wait in the queue, where any worker can take them, and not behind another call
// in an event loop. Stats tells the two apart: Lag grows if event loops are busy, Waits and WaitTime
// if Concurrency is used up.
//
// The server needs memory for each request body that it reads (up to Limits.MaxBody each), for
// waiting inputs (MaxQueueBytes), for the inputs of each worker's calls (up to 64 MiB), and for
// results: up to twice MaxAnswer for the one that it reads from a worker, and up to MaxAnswer for
// each until its caller has it. A hundred callers of results of 100 MB take 10 GB: return streams,
// which take 256 KiB each.
//
// Workers of Node.js, Bun and Deno need 45 to 55 MiB without an application, and up to 48 MiB more
// for short-lived objects under load. Node("app.js", "--max-semi-space-size=2") has reduced a worker
// with 33,000 calls a second from 123 to 74 MiB and by 2 % of the calls; workers that make large
// objects would lose more. While a worker is replaced there are two. Restart doubles all of them for
// a moment: it starts all new workers before the first old one ends.
//
// Node adds "--initial-old-space-size=128": V8 then collects old garbage at 128 MiB for the first
// time. Its own limit falls so far under small calls that the buffers of uploads reach it again and
// again, which takes up to half of the worker's CPU. An application that leaves old garbage may grow
// by as much. A Runner application after 120,000 small calls had 102 MiB without the flag and 84
// with it on Node.js 20, but 155 and 174 on 22; after 40,000 it had 144 and 98 on 24, 140 and 101 on
// 26; a module with a heap of 80 MiB had 138 and 140. If the heap's limit is low (MaxHeap, or a small
// container), half of that limit is used instead. Your own flag takes precedence:
// "--initial-old-space-size=64" for Node.js 22, "=1" for V8's own limit.
//
// Each worker bounds its JavaScript heap by the memory of the machine or the container, and does not
// know of the others: Node.js and Deno take up to half of it, at most 4 GiB, and may keep garbage
// until they are near that. N workers in a container together may take N halves, and then the kernel
// kills one of them, or the server, without a message. Set Options.MaxHeap, which is for each
// worker: (memory - what the server needs) ÷ (workers + workers that are being replaced), less 64
// MiB for what is outside the heap. A worker that needs more ends as in a crash, with V8's last
// words in the log. A lower MaxMemory replaces it before that, and no call fails. For Bun MaxHeap is
// only a hint, so set MaxMemory, too.
//
// The pool keeps nothing between requests. State that tasks keep in memory is per worker: with
// several workers or machines it belongs in a database. Several machines are several stateless HTTP
// services behind any load balancer, whose idle timeout should be shorter than the server's.
//
// # Goroutines
//
// A pool has three goroutines of its own: one supervises, one starts processes, and one logs. Each
// worker has one that runs it, one that logs its output, and one for each of its pipes. A call has
// one for each stream of its request that the worker reads. On Unix a pool also has a helper
// process, a shell that kills the workers if this process is killed, and a goroutine that replaces
// the shell if it is killed. All end with Close or Shutdown. Only a goroutine inside a log handler
// that does not return ends later.
//
// # The wires
//
// Package [github.com/bluelibs/go-tunnel/ipc/internal/wire] specifies both wires: the framed wire,
// which Node and the npm package @bluelibs/tunnel-worker speak, and PlainWire, lines of JSON, with
// advice for workers in any language.
package ipc
