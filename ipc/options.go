package ipc

import (
	"errors"
	"log/slog"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Options says what a pool runs, and how. Every field but Command has a default.
type Options struct {
	// Command is the worker's program, looked up in PATH, and its arguments.
	Command []string
	// Dir is the worker's working directory. Empty means this process's.
	Dir string
	// Env is the worker's environment, "key=value" each. Nil means this process's.
	Env []string

	// Plain selects the plain wire (see the package documentation), which a worker can
	// speak without any library. Without it the worker must speak the framed wire, by
	// the npm package @bluelibs/tunnel-worker or the runtime that Node gives it.
	Plain bool

	// Workers is the number of processes. State that tasks keep in memory is per
	// process. Default: 1.
	Workers int
	// Concurrency is how many calls a worker has at once. Default: 1024.
	Concurrency int
	// MaxMessage is the longest answer of a worker, in bytes. The call of a longer one
	// fails. Default: 16 MiB.
	MaxMessage int

	// MaxQueue is how many calls wait when all workers are busy; one more is refused
	// with 503 OVERLOADED. Negative means none. Default: 1024.
	MaxQueue int
	// MaxQueueBytes bounds the inputs of the waiting calls together. Default: 64 MiB.
	MaxQueueBytes int
	// QueueTimeout is how long a call waits before it is refused. Default: 10 s.
	QueueTimeout time.Duration
	// StartTimeout is how long a worker on the framed wire has to say hello. Default: 10 s.
	StartTimeout time.Duration
	// StopTimeout is how long a worker has to end when its input has ended. At half of
	// it SIGTERM is sent, at the end SIGKILL. Default: 10 s.
	StopTimeout time.Duration

	// Schemas, if not nil, gets the JSON Schemas that a worker on the framed wire announces,
	// maybe none, before it has calls, and again when they change. It is called
	// concurrently. A worker whose first ones it returns an error for is ended: Start fails
	// with that error. Later ones are logged and change nothing. See schema.Announced.
	Schemas func(protocol.Schemas) error

	// Logger gets the workers' output (at Info) and their deaths (at Error). Nil means
	// slog.Default().
	Logger *slog.Logger

	// script is written to the standard input of a worker on the framed wire.
	script []byte
}

func (o Options) withDefaults() (Options, error) {
	if len(o.Command) == 0 {
		return o, errors.New("ipc: Options.Command is empty: it needs a program to run")
	}
	setDefault(&o.Workers, 1)
	setDefault(&o.Concurrency, 1024)
	setDefault(&o.MaxMessage, 16<<20)
	if o.MaxQueue == 0 {
		o.MaxQueue = 1024
	}
	setDefault(&o.MaxQueueBytes, 64<<20)
	setDefault(&o.QueueTimeout, 10*time.Second)
	setDefault(&o.StartTimeout, 10*time.Second)
	setDefault(&o.StopTimeout, 10*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o, nil
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
