// Package ipc runs tasks and events in worker processes, Node.js ones as a rule,
// which it starts, feeds over pipes and restarts. A [Pool] is an executor for a
// tunnel.Handler:
//
//	pool, err := ipc.Start(ctx, ipc.Options{Command: []string{"node", "worker.js"}, Plain: true})
//	…
//	defer pool.Close()
//	http.Handle("/__runner/", tunnel.New(pool, tunnel.Config{…}))
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
// input asks the worker to stop.
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
// A pool has one goroutine per worker that starts, watches and restarts it, and
// three more for its three pipes. They end with Close or Shutdown.
package ipc
