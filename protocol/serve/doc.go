// Package serve has the HTTP side of the protocol: what the Handler of package tunnel needs
// to answer a request. It is for authors of other servers and fronts. Executors, clients and
// configurations of a Handler need package protocol only.
//
//   - [Exchange] is the seam to the server. [OverNetHTTP] makes one for net/http.
//   - [Policy] decides from the head of a request what becomes of it, without I/O.
//   - [ReadBody] and [OpenBody] read bodies under limits, [Linger] drops unread ones.
//   - [WriteResult], [WriteOK], [WriteError] and [WriteStream] write answers.
//   - [Log] writes a line about each request.
//
// The package starts no goroutine that outlives a request.
package serve
