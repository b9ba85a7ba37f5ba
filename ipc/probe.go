package ipc

// ping asks a worker on the framed wire for a pong, which goes to l.pong. One that has
// not taken what was sent before gets it later, and does not answer either.
func (l *link) ping() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.say(append(l.out, `{"type":"ping","id":0}`+"\n"...))
}

// has reports whether the worker still has a call.
func (l *link) has(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pending[id] != nil
}
