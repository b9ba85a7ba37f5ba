// Package wire turns messages into bytes and back, on both wires between a pool and a worker.
//
// # The framed wire
//
// A worker that ipc.Node runs, or that uses the npm package @bluelibs/tunnel-worker, has a pair of
// pipes for the wire, file descriptors 3 and 4, which the environment variable TUNNEL_IPC names. Its
// standard output and error are its log, whoever prints there. (On Windows, where a child cannot
// have more files, the wire is on standard input and output, and the runtime sends console.log to
// standard error.)
//
// A message is a line that holds one JSON object. If it has a member n, then n raw bytes follow it
// directly: the JSON of an input, a payload or a result. Lines to the worker are ASCII. The worker
// sends the first message:
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
// Answers and errors are the same as on the plain wire. If an answer has no result, the result is
// undefined; with "void":true the HTTP answer has none at all. If nothing may be called, tasks and
// events are both null. Another hello replaces the lists. The aliases of a hello are other names of
// ids, {"a":"app.tasks.a"}. Its lanes are the RPC lanes that need a token of their own, each with
// its ids, the header, the skew of clocks in ms, and the secret or the public keys, in PEM. If only
// the application's serializer can check the hash in a call's token, the call has it as "hash": the
// worker answers UNAUTHORIZED if it computes another one. With draining the worker asks for no more
// calls and a replacement. Messages of unknown types are ignored. A line that is no message, or a
// first message that is not hello, ends the worker.
//
// Data messages carry the bytes of a call's streams, at most 64 KiB each, and 63 KiB from the pool,
// which fit a pipe together with their line. A request can have several streams: the raw body of a task with "body":true is stream 0; the files that the input of
// a task names with "files":["F1","F2"] are streams 1, 2 and so on in that order. The pool sends
// data only if the worker has given credit with window; the first window opens the stream. File has
// the form's description of a file and comes before the file's data. With stop the worker wants no
// more of a stream. A result can be a stream: data follows an answer with "stream":true. The worker
// has 16 KiB of credit for it and gets more with window. The caller gets the head of such an answer
// with the first data, or at once with "flush":true. End closes a stream; if it has an error, the
// stream broke off. An answer or a cancel also ends the streams of the request, but after an answer
// with a stream they are readable until that stream has ended.
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
// Many calls are under way at once; the worker answers them in any order, by id. Ids are integers
// that are not used again in a worker's life. If there is no input or payload, the member is absent.
// An absent result means undefined, or for an event whose caller wants the payload back the payload
// as it was sent. At the end of its input the worker must stop. With Options.PlainContext tasks and
// events have a member requestId, a string, and if the caller has an identity a member identity: the
// result of the token check or of tunnel.Config.Authenticate. The pool sends nothing else.
//
// Advice for workers in any language:
//
//   - A line may be as long as a body (Limits.MaxBody, plus the ids). Raise the limits of readers
//     that have one: asyncio's StreamReader has 64 KiB (limit=), Go's bufio.Scanner as well
//     (Buffer). An answer may have up to Options.MaxAnswer.
//   - A line ends at "\n" and nowhere else. U+2028 and U+2029 are escaped, for Node.js's
//     readline; U+0085, at which Python's str.splitlines splits, may be in a line.
//   - Flush each answer: most languages buffer their output to a pipe. Python has
//     print(…, flush=True) and python3 -u, C setvbuf, Perl $|, Ruby $stdout.sync.
//   - Do not mix answers: write them in one thread, or hold a lock for the whole line.
//   - Node.js loses output to a pipe that is not yet written when process.exit is called: the
//     process should end by itself after the end of the input, or exit in the callback of the
//     last write.
//   - At the end of the input answer the calls under way, and end: SIGTERM follows after half of
//     Options.StopTimeout.
//
// The error of a task is private unless the worker marks it as public by an id, an httpCode, or a
// code of the protocol other than INTERNAL_ERROR ("code":"NOT_FOUND", or a number with
// "codeName":"NOT_FOUND"): callers then see its message, id, data and httpCode. Every other error
// becomes a plain internal error, and its message is logged.
//
// Lines on standard output that are no answers are logged, and so is every line on standard error
// (see ipc.Options.Logger). Anything else that writes to standard output can break the wire or forge
// an answer: a worker must not print text there that comes from a caller.
package wire
