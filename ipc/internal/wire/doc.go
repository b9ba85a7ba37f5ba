// Package wire turns messages into bytes and back, on both wires between a pool and a worker.
//
// # The framed wire
//
// A worker that [Node] runs, or that uses the npm package @bluelibs/tunnel-worker, talks over a
// pair of pipes of its own, file descriptors 3 and 4, which the environment variable TUNNEL_IPC
// names. Its standard output and error are its log, whatever is printed there and by whom. (On
// Windows, where a child cannot have more files, the wire is on standard input and output, and the
// runtime sends console.log to standard error.)
//
// A message is a line that holds one JSON object. One that has a member n is followed directly by n
// raw bytes: the JSON of an input, a payload or a result. Towards the worker a line is ASCII. The
// worker speaks first:
//
//	<- {"type":"hello","wire":1,"pid":7,"runtime":"node v22.1.0","tasks":["a"],"events":["e"],"auth":false}
//	-> {"type":"task","id":1,"taskId":"a","requestId":"r","basePath":"/__runner","remote":"[::1]:8080","method":"POST","url":"…","headers":"host\nx\n…","n":7}
//	   {"a":5}
//	-> {"type":"event","id":2,"eventId":"e","returnPayload":true,…}
//	-> {"type":"auth","id":3,"method":"POST","url":"/__runner/task/a?x=1","headers":"…"}
//	-> {"type":"cancel","id":1}
//	<- {"id":1,"ok":true,"result":8}
//	<- {"id":3,"ok":false,"error":{"message":"Unauthorized","code":"UNAUTHORIZED"}}
//	<- {"type":"log","level":"warn","message":"…"}
//	<- {"type":"draining"}
//
// Answers are those of the plain wire, and so are the rules about errors; "void":true in one
// without a result leaves that out of the HTTP answer, where it is undefined else. Tasks and events
// are null together where nothing may be called. Another hello replaces the lists. Aliases in a
// hello are other names of ids, {"a":"app.tasks.a"}, and lanes those RPC lanes that need a token of
// their own: which ids they serve, the header, the skew of clocks in ms, and the secret or the
// public keys, in PEM. A call whose token has a hash that only the application's serializer can
// tell brings that as "hash": the worker answers UNAUTHORIZED if its own is another one. Draining
// says that the worker wants no more calls, and to be replaced. Messages of types that are not
// known are ignored; a line that is no message, or a first one that is not hello, ends the worker.
//
// Bytes travel as data messages, of at most 64 KiB each (63 KiB from the server, which fit a
// pipe with their line), of a stream that belongs to a call. A
// call's request can have several: the raw body of a task with "body":true is stream 0; the files
// that the input of a task names with "files":["F1","F2"] are streams 1, 2 and so on in that order.
// They are sent only as far as the worker has given them credit with window, the first of which
// opens the stream; file says how the form describes a file, before its first data. Stop says that
// the worker wants no more of a stream. A result can be one: an answer with "stream":true is
// followed by data, for which the worker has 16 KiB of credit and gets more with window. The caller
// gets the head of such an answer with the first data, with "flush":true at once. End closes a
// stream; with an error it is one that broke off. An answer or a cancel ends what is left of a
// call's request, except that an answer with a stream leaves that readable until the stream has
// ended.
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
// A worker reads one JSON document a line from its standard input and answers with one a line on
// its standard output, UTF-8, "\n" at the end:
//
//	-> {"type":"task","id":1,"taskId":"app.tasks.add","input":{"a":5,"b":3}}
//	-> {"type":"event","id":2,"eventId":"app.events.notify","payload":{"message":"hi"}}
//	<- {"id":1,"ok":true,"result":8}
//	<- {"id":2,"ok":true}
//	<- {"id":3,"ok":false,"error":{"message":"Task failed","code":"EXECUTION_ERROR"}}
//
// Many calls are under way at once; they are answered in any order, by id. Ids are integers that
// are not used again in a worker's life. The input or payload is left out where there is none, and
// an absent result means undefined; for an event whose caller wants the payload back it means the
// payload as it was sent. The end of the input asks the worker to stop. With Options.PlainContext
// tasks and events have a member requestId, a string, and identity where a caller has one: what the
// token check or tunnel.Config.Authenticate knows of it. Nothing else is ever sent.
//
// What a worker in any language has to see to:
//
//   - A line is as long as a body may be (Limits.MaxBody, plus the ids). Readers with a bound of
//     their own need a higher one: asyncio's StreamReader has 64 KiB (limit=), Go's
//     bufio.Scanner as well (Buffer). An answer may have up to Options.MaxAnswer.
//   - A line breaks at "\n" and nowhere else. U+2028 and U+2029 are escaped, for Node.js's
//     readline; U+0085, at which Python's str.splitlines breaks, may stand in a line.
//   - An answer has to leave at once: to a pipe most languages buffer what is printed. Python
//     wants print(…, flush=True) or python3 -u, C setvbuf, Perl $|, Ruby $stdout.sync.
//   - An answer must not be mixed with another one: one thread writes, or a lock is held for
//     the whole line.
//   - Node.js cuts off what it has written to a pipe when process.exit is called: let
//     the process end by itself after the end of the input, or exit in the callback of the last
//     write.
//   - At the end of the input it should answer what it has, and end: SIGTERM follows after half of
//     Options.StopTimeout.
//
// The error of a task is private unless the worker says otherwise: a caller learns message, id,
// data and httpCode of an error that has an id, an httpCode, or a code of the protocol other than
// INTERNAL_ERROR ("code":"NOT_FOUND", or a number with "codeName":"NOT_FOUND"). Everything else is
// answered as a plain internal error, and its message is logged.
//
// Lines on standard output that are no answers are logged, and so is every line on standard error
// (see ipc.Options.Logger). Whatever else writes to standard output can break the wire, or forge an
// answer: a worker must not print text there that it has from a caller.
package wire
