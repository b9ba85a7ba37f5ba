// Package client calls any server of the Runner Tunnel HTTP Protocol v1.0: package tunnel's and
// Runner's own exposure.
//
//	c, err := client.New("http://127.0.0.1:7070/__runner", client.Config{Token: "secret"})
//	sum, err := client.Task[int](ctx, c, "app.tasks.add", map[string]int{"a": 5, "b": 3})
//	err = client.Event(ctx, c, "app.events.notify", map[string]string{"message": "hi"})
//
// # Inputs
//
// A nil input means no input (JavaScript's undefined). If a [File] is anywhere in the input, the
// call is a form. An input that is an io.Reader is sent unchanged, as application/octet-stream.
// Files and readers are read while they are sent, and are never in memory as a whole. Everything
// else is JSON, which the codec writes.
//
// # Results
//
// [Task] decodes a result, [TaskStream] returns a body as it arrives. An undefined result gives
// the zero value.
//
// # Errors
//
// Every error of a call is an [*Error] with the call, its request id and the HTTP status.
// errors.As finds one of these in it:
//
//   - [*protocol.Error]: the server's own error, with code, id, data (a json.RawMessage) and
//     httpCode
//   - [*AnswerError]: an answer that is not one of the protocol, or that does not fit
//   - [*TransportError]: there was no answer, or only a part of one; errors.Is finds a context's
//     error
//
// For any other error an argument was wrong, and nothing was sent.
//
// If a task in Go returns a server's *protocol.Error, its own caller gets it. Wrap it with %v
// instead of %w to keep it private.
//
// # What it does not do
//
// It follows no redirects, so that only the host of the base URL gets the token. It logs nothing.
// It has no time limit; the context may have one. It retries calls only with [WithRetry]. It
// starts no goroutine: the goroutines that send and receive are net/http's, and belong to the
// http.Client.
package client
