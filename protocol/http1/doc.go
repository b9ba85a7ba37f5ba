// Package http1 serves the plain requests of HTTP/1.1 with little effort, and leaves all
// others to net/http. A [Front] stands between a listener and an http.Server. It answers the
// plain calls of a [Handler] itself, and hands every other connection to the http.Server,
// unread and for good.
//
// A plain request is a POST with a head of at most 4 KiB that all servers read alike, and
// with a body of a declared length that arrives soon after. See [Front] for what else makes
// a connection leave.
package http1
