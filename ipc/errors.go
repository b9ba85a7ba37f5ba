package ipc

import (
	"errors"

	"github.com/bluelibs/go-tunnel/ipc/internal/conn"
	"github.com/bluelibs/go-tunnel/ipc/internal/sched"
)

// Errors of a pool wrap these, for errors.Is. Callers over HTTP get the code of the protocol.Error
// around them.
var (
	ErrClosed       = sched.ErrClosed       // the pool was shut down
	ErrNoWorker     = sched.ErrNoWorker     // no worker is running, and the next try is not due within QueueTimeout
	ErrQueueFull    = sched.ErrQueueFull    // MaxQueue or MaxQueueBytes is reached
	ErrQueueTimeout = sched.ErrQueueTimeout // QueueTimeout is over
	ErrWorkerEnded  = conn.ErrEnded         // the worker has ended during the call, or before it was ready
	ErrReplaced     = sched.ErrReplaced     // another Restart has begun, for Restart

	ErrTaskTimeout  = errors.New("ipc: no answer")   // TaskTimeout is over
	ErrStartTimeout = errors.New("it sent no hello") // StartTimeout is over, for Start and Restart
	errStopTimeout  = errors.New("it had not ended within Options.StopTimeout and was killed")
)
