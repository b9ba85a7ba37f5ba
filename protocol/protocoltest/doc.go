// Package protocoltest is the conformance kit of the Runner Tunnel HTTP Protocol: it has the
// wire's rules as cases, in the manner of testing/slogtest. [Run] sends them to a server,
// [RunExecutor] checks the contract of an executor, and both print a broken rule. [Cases] returns
// the rules.
//
// # The test application
//
// The server under test serves these tasks. None of them keeps state.
//
//	app.tasks.add       {a, b}      -> a + b
//	app.tasks.greet     {name}      -> "Hello, " + name + "!"
//	app.tasks.echo      any input   -> the input, members in the same order
//	app.tasks.nothing   any input   -> undefined
//	app.tasks.sleep     {ms}        -> ms, after that many milliseconds
//	app/tasks/odd id%   any input   -> "odd"
//	app.tasks.hidden    any input   -> "hidden"; it is not on the allow-list
//
// These fail:
//
//	app.tasks.fail       a plain error with a text that must not leave the process; it holds the word "secret"
//	app.tasks.quota      the typed error app.errors.quota, "Quota of 3 exceeded", data {"limit":3}
//	app.tasks.teapot     the typed error app.errors.teapot, "I am a blue pot", data {"pot":"blue"}, httpCode 418
//	app.tasks.coded      {httpCode} -> the typed error app.errors.coded, "Coded " + httpCode, the input as data,
//	                     that httpCode
//	app.tasks.cancelled  the framework's cancellation error, REQUEST_ABORTED
//	app.tasks.function   a result that cannot be serialised, a function for example
//
// These are for servers with files and streams. Hashes are SHA-256 in lower-case hexadecimal, and
// members are in the order shown here:
//
//	kit.upload   {files, read} -> for each key in the array read, in that order, the file files[key] is opened, read
//	             to its end and added to the result, an array of {name, type, size, sha256}; size counts the
//	             bytes. Files that read does not have are left alone. To open one in a call that is no form is an
//	             error for the caller: UNSUPPORTED_MEDIA_TYPE, "The task takes a body of type multipart/form-data"
//	kit.body     (octet-stream) -> {size, sha256} of the raw body
//	kit.duplex   (octet-stream) -> a stream of type text/plain: the raw body with a-z as A-Z, as it arrives
//	kit.stream   {size, fail, status, contentType, headers} -> a stream of size letters "x", with what is given of
//	             status, contentType and headers, an object of strings. With fail true it then fails with a plain
//	             error that holds the word "secret"
//
// And these events:
//
//	app.events.notify, app.events.log   handlers do nothing
//	app.events.bare                     has no handler, or one that does nothing
//	app.events.fail                     a plain error, with the word "secret" in its text
//	app.events.quota                    the typed error of app.tasks.quota
//	app.events.rename                   {name} -> changes the payload's name to upper case
//	app.events.parallel                 is marked parallel; handlers do nothing
//
// [AllowList] has all of them but app.tasks.hidden.
package protocoltest

import "github.com/bluelibs/go-tunnel/protocol"

// Token is the token of all cases that are not about tokens.
const Token = "secret"

// AllowList returns the allow-list of the test application.
func AllowList() *protocol.AllowList {
	return protocol.NewAllowList(
		[]string{
			"app.tasks.add", "app.tasks.greet", "app.tasks.echo", "app.tasks.nothing", "app.tasks.sleep", "app/tasks/odd id%",
			"app.tasks.fail", "app.tasks.quota", "app.tasks.teapot", "app.tasks.coded", "app.tasks.cancelled", "app.tasks.function",
			"kit.upload", "kit.body", "kit.duplex", "kit.stream",
		},
		[]string{
			"app.events.notify", "app.events.log", "app.events.bare", "app.events.fail", "app.events.quota",
			"app.events.rename", "app.events.parallel",
		},
	)
}
