package ipc

// Stats is a snapshot of a pool.
type Stats struct {
	// Workers has one entry per slot.
	Workers []WorkerStats
	// Queued is the number of calls that wait for a worker.
	Queued int
}

// WorkerStats is a snapshot of one worker.
type WorkerStats struct {
	// PID is the process's id, 0 while there is none.
	PID int
	// InFlight is the number of calls that it has.
	InFlight int
	// Starts is how often a process was started in this slot.
	Starts int
}

// Stats returns a snapshot.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{Queued: p.queue.Len()}
	for i := range p.slots {
		ws := WorkerStats{Starts: p.slots[i].starts}
		if w := p.slots[i].worker; w != nil {
			ws.PID, ws.InFlight = w.proc.pid(), w.inFlight
		}
		s.Workers = append(s.Workers, ws)
	}
	return s
}
