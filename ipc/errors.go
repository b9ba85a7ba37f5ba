package ipc

import (
	"errors"

	"github.com/bluelibs/go-tunnel/ipc/internal/conn"
	"github.com/bluelibs/go-tunnel/ipc/internal/sched"
)

// What errors of a pool wrap, for errors.Is. Callers over HTTP get the code of the protocol.Error
// around them.
var (
	ErrClosed       = sched.ErrClosed       // the pool was shut down
	ErrNoWorker     = sched.ErrNoWorker     // no worker is running, and none is due within QueueTimeout
	ErrQueueFull    = sched.ErrQueueFull    // MaxQueue or MaxQueueBytes
	ErrQueueTimeout = sched.ErrQueueTimeout // QueueTimeout
	ErrWorkerEnded  = conn.ErrEnded         // the worker has ended with the call, or before it was ready
	ErrReplaced     = sched.ErrReplaced     // of Restart: another Restart has begun

	ErrTaskTimeout  = errors.New("ipc: no answer")   // TaskTimeout
	ErrStartTimeout = errors.New("it sent no hello") // of Start and Restart: StartTimeout
	errStopTimeout  = errors.New("it had not ended within Options.StopTimeout and was killed")
)
