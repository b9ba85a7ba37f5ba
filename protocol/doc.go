// Package protocol is the wire of the Runner Tunnel HTTP Protocol v1.0 as Go types
// and functions: paths, headers, calls, replies, errors, envelopes, forms and limits. It
// starts no goroutine and keeps no state.
//
// An executor (packages standalone and ipc, or your own) receives a [Call] and returns a
// [Reply] or an error. A task written in Go returns an [*Error] if its caller should learn
// what went wrong. Every other error stays inside the process. [AllowList], [CORS] and
// [Limits] configure a Handler of package tunnel. Package serve has the HTTP side, which
// only servers need.
//
// # The wire in short
//
// Base is the configured base path, [DefaultBasePath] unless changed.
//
//	POST base/task/{id}          {"input": …}      -> {"ok":true,"result":…}
//	POST base/event/{id}         {"payload": …}    -> {"ok":true}
//	GET|POST base/discovery                        -> {"ok":true,"result":{"allowList":…}}
//
// A body that is an object without that member is the input, or the payload, itself.
//
// A task with files gets a form (multipart/form-data). Its field __manifest is the body,
// in which each file is an object {"$runnerFile":"File","id":…,"meta":{…}}, and the part of
// the file with the id F1 is called file:F1. Name and type of meta win over the part's own:
//
//	curl -X POST base/task/{id} -F '__manifest={"input":{"doc":{"$runnerFile":"File","id":"F1","meta":{}}}}' -F file:F1=@doc.pdf
//
// A body of application/octet-stream is the input itself.
//
// Every error is answered with
//
//	{"ok":false,"error":{"message":…,"code":…[,"id":…][,"data":…][,"httpCode":…]}}
//
// An absent value (JavaScript's undefined) is [Undefined] on the wire, in both directions. In
// a [Call] and a [Reply] it is nil.
package protocol
