// Package client calls any server of the Runner Tunnel HTTP Protocol v1.0: package
// tunnel's and Runner's own exposure alike.
//
//	c, err := client.New("http://127.0.0.1:7070/__runner", client.Config{Token: "secret"})
//	sum, err := client.Task[int](ctx, c, "app.tasks.add", map[string]int{"a": 5, "b": 3})
//	err = client.Event(ctx, c, "app.events.notify", map[string]string{"message": "hi"})
//
// # Inputs
//
// A nil input is no input (JavaScript's undefined). A [File] anywhere in the input
// sends a form, and an input that is an io.Reader is sent as it is, as
// application/octet-stream; both are read while they are sent and never held in
// memory. Everything else is JSON, written by the codec.
//
// # Results
//
// [Task] decodes a result, [TaskStream] gives a body as it arrives. Undefined leaves
// the zero value.
//
// # Errors
//
// Every error of a call is an [*Error]: which call it was, its request id, the HTTP
// status. Below it, for errors.As, is one of
//
//   - [*protocol.Error]: the server's own words, with code, id, data (a json.RawMessage)
//     and httpCode
//   - [*AnswerError]: an answer that is not one of the protocol, or does not fit
//   - [*TransportError]: no answer, or part of one; errors.Is finds a context's error
//
// or else what was wrong with the arguments; then nothing was sent.
//
// A task in Go that returns a server's *protocol.Error passes it on to its own caller.
// Wrap it with %v instead of %w to keep it private.
//
// # What it does not do
//
// It follows no redirects, so the token stays with the host of the base URL; it logs
// nothing; it has no time limit but the context's; it tries again only under
// [WithRetry]. It starts no goroutine: those that send and receive are net/http's, and
// belong to the http.Client.
package client
