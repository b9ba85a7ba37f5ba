package http1

import (
	"crypto/subtle"
	"maps"
	"net/http"
)

// lastHead is the head of a connection's last request. Most callers send the same one again
// and again, and it need not be read anew then.
type lastHead struct {
	bytes []byte
	seen  bool         // it came more than once, so head is known
	head  http.Request // belongs to no request
}

// read is readHead, for the heads of one connection.
func (l *lastHead) read(r *http.Request, buf []byte) (length int, what verdict) {
	if !l.begins(buf) {
		if length, what = readHead(r, buf); what == plain {
			l.bytes, l.seen = append(l.bytes[:0], buf[:length]...), false
		}
		return length, what
	}
	if !l.seen {
		l.seen = true
		if _, what = readHead(&l.head, l.bytes); what != plain {
			return 0, odd // never: it was plain before
		}
	}
	*r = l.head
	u := *l.head.URL
	r.URL = &u
	// Only strings are shared: whoever gets the request may change all others.
	r.Header = maps.Clone(l.head.Header)
	values := make([]string, len(r.Header))
	i := 0
	for name, value := range r.Header {
		values[i] = value[0]
		r.Header[name] = values[i : i+1 : i+1]
		i++
	}
	return len(l.bytes), plain
}

// begins reports whether buf begins with the head. A proxy may send requests of several
// callers over one connection, so the time must not tell how much of a token was right.
func (l *lastHead) begins(buf []byte) bool {
	size := len(l.bytes)
	return size > 0 && len(buf) >= size && subtle.ConstantTimeCompare(buf[:size], l.bytes) == 1
}
