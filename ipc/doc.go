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
// else: see [Node]. What it serves is what the pool lists, so that the handler needs no
// allow-list of its own, and [Pool.Authenticate] lets it decide about callers.
//
// # The framed wire
//
// A worker that [Node] runs, or that uses the npm package @bluelibs/tunnel-worker,
// talks over a pair of pipes of its own, file descriptors 3 and 4, which the
// environment variable TUNNEL_IPC names. Its standard output and error are its log,
// whatever is printed there and by whom. (On Windows, where a child cannot have more
// files, the wire is on standard input and output, and the runtime sends console.log
// to standard error.)
//
// A message is a line that holds one JSON object. One that has a member n is followed
// directly by n raw bytes: the JSON of an input, a payload or a result. Towards the
// worker a line is ASCII. The worker speaks first:
//
//	<- {"type":"hello","wire":1,"pid":7,"runtime":"node v20.1.0","tasks":["a"],"events":["e"],"auth":false}
//	-> {"type":"task","id":1,"taskId":"a","requestId":"r","basePath":"/__runner","method":"POST","url":"…","headers":"host\nx\n…","n":7}
//	   {"a":5}
//	-> {"type":"event","id":2,"eventId":"e","returnPayload":true,…}
//	-> {"type":"auth","id":3,"method":"POST","url":"/__runner/task/a?x=1","headers":"…"}
//	-> {"type":"cancel","id":1}
//	<- {"id":1,"ok":true,"result":8}
//	<- {"id":3,"ok":false,"error":{"message":"Unauthorized","code":"UNAUTHORIZED"}}
//	<- {"type":"log","level":"warn","message":"…"}
//
// Answers are those of the plain wire, and so are the rules about errors. Tasks and
// events are null together where nothing may be called. Another hello replaces the
// lists. Messages of types that are not known are ignored; a line that is no message,
// or a first one that is not hello, ends the worker.
//
// Bytes travel as data messages, of at most 64 KiB each, of a stream that belongs to a
// call. A call's request can have several: the raw body of a task with "body":true is
// stream 0; the files that the input of a task names with "files":["F1","F2"] are
// streams 1, 2 and so on in that order. They are sent only as far as the worker has
// given them credit with window, the first of which opens the stream; file says how
// the form describes a file, before its first data. Stop says that the worker wants no
// more of a stream. A result can be one: an answer with "stream":true is followed by
// data, for which the worker has 16 KiB of credit and gets more with window. End
// closes a stream; with an error it is one that broke off. An answer or a cancel ends
// what is left of a call's request, except that an answer with a stream leaves that
// readable until the stream has ended.
//
//	-> {"type":"task","id":4,"taskId":"up","body":true,…}
//	-> {"type":"task","id":5,"taskId":"files","files":["F1"],…,"n":51}
//	   {"file":{"$runnerFile":"File","id":"F1","meta":{}}}
//	<- {"type":"window","id":5,"s":1,"size":262144}
//	-> {"type":"file","id":5,"s":1,"name":"a.txt","contentType":"text/plain"}
//	-> {"type":"data","id":5,"s":1,"n":3}
//	   abc
//	-> {"type":"end","id":5,"s":1}
//	<- {"type":"stop","id":4,"s":0}
//	<- {"id":4,"ok":true,"stream":true,"status":200,"contentType":"text/plain","headers":["x-a","1"]}
//	<- {"type":"data","id":4,"n":2}
//	   hi
//	-> {"type":"window","id":4,"size":131072}
//	<- {"type":"end","id":4,"error":"disk failure"}
//
// # The plain wire
//
// A worker reads one JSON document a line from its standard input and answers with
// one a line on its standard output, UTF-8, "\n" at the end:
//
//	-> {"type":"task","id":1,"taskId":"app.tasks.add","input":{"a":5,"b":3}}
//	-> {"type":"event","id":2,"eventId":"app.events.notify","payload":{"message":"hi"}}
//	<- {"id":1,"ok":true,"result":8}
//	<- {"id":2,"ok":true}
//	<- {"id":3,"ok":false,"error":{"message":"Task failed","code":"EXECUTION_ERROR"}}
//
// Many calls are under way at once; they are answered in any order, by id. Ids are
// integers that are not used again in a worker's life. The input or payload is left
// out where there is none, and an absent result means undefined; for an event whose
// caller wants the payload back it means the payload as it was sent. The end of the
// input asks the worker to stop. Nothing else is ever sent.
//
// The error of a task is private unless the worker says otherwise: a caller learns
// message, id, data and httpCode of an error that has an id, an httpCode, or a code of
// the protocol other than INTERNAL_ERROR ("code":"NOT_FOUND", or a number with
// "codeName":"NOT_FOUND"). Everything else is answered as a plain internal error, and
// its message is logged.
//
// Lines on standard output that are no answers are logged, and so is every line on
// standard error. Whatever else writes to standard output can break the wire, or
// forge an answer: a worker must not print text there that it has from a caller.
//
// # Goroutines
//
// A pool has two goroutines of its own, one that supervises and one that starts
// processes, and each worker has one that runs it, one that logs, and one for each of
// its pipes. A call has one for each stream of its request that the worker reads, and
// none otherwise. On Unix a pool has a shell as a helper process, which kills the
// workers should this process be killed. All end with Close or Shutdown.
package ipc
