package ipc

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/proc"
	"github.com/bluelibs/go-tunnel/ipc/internal/sched"
	"github.com/bluelibs/go-tunnel/protocol"
)

// Wire is how a pool and its workers write their messages. The package documentation describes both.
type Wire int

const (
	// FramedWire has files, streams and cancellation. A worker speaks it by the npm package
	// @bluelibs/tunnel-worker, or by the runtime that Node, Bun and Deno give it.
	FramedWire Wire = iota
	// PlainWire has lines of JSON, which a worker can write without any library.
	PlainWire
)

// Options says what a pool runs, and how. Every field but Command has a default.
type Options struct {
	// Command is the worker's program, looked up in PATH, and its arguments.
	Command []string
	// Dir is the worker's working directory. Empty means this process's.
	Dir string
	// Env is the worker's environment, "key=value" each. Nil means this process's. The
	// variables of Node.js's own channel to a parent (NODE_CHANNEL_FD and its like) are left
	// out of that, and of a copy.
	Env []string
	// EnvFilter reports whether a variable of Env passes, by its name. Nil passes all.
	EnvFilter func(name string) bool
	// User and Group, names or numbers, are whom workers run as, which takes the right to
	// change that. Empty User means this process's. Empty Group means the user's own, with
	// all its others; with Group there are no others. Unix only: elsewhere Start fails.
	User, Group string

	// Wire is what a worker speaks. Default: FramedWire.
	Wire Wire
	// PlainContext adds "requestId" and, where there is one, "identity" to each message of
	// the plain wire, which does not have them otherwise.
	PlainContext bool

	// Workers is the number of processes that take calls. State that tasks keep in memory
	// is per process. Default: 1.
	Workers int
	// Spares is how many more stand by, ready, to take the place of one that ends.
	// Default: none.
	Spares int
	// Concurrency is how many calls a worker has at once. A call whose caller has left
	// counts until the worker has answered it. Default: 1024.
	Concurrency int
	// MaxAnswer is the longest answer of a worker, in bytes, which results that are streams
	// do not count for. The call of a longer one fails, and the error in the log says so. An
	// answer is held as a whole: twice its size while it is read, one at a time from
	// each worker, and its size until its caller has it. Default: 128 MiB.
	MaxAnswer int

	// MaxQueue is how many calls wait when all workers are busy; one more is refused
	// with 503 OVERLOADED. Negative means none. Default: 1024.
	MaxQueue int
	// MaxQueueBytes bounds the inputs of the waiting calls together. Default: 64 MiB.
	MaxQueueBytes int
	// QueueTimeout is how long a call waits before it is refused. Default: 10 s.
	QueueTimeout time.Duration
	// StartTimeout is how long a worker on the framed wire has to say hello. Default: 10 s.
	StartTimeout time.Duration
	// TaskTimeout is how long a worker (not a task in Go beside it) has for a call, from
	// when it is given to it, to its answer or the start of its result's stream. The
	// caller gets 504 TASK_TIMEOUT then, and the call is cancelled on the framed wire.
	// The time that a form or a raw body takes to arrive counts: give tasks that get
	// uploads more. Zero or less means no bound.
	TaskTimeout time.Duration
	// TaskTimeouts are the times of single tasks and events, by id, instead of TaskTimeout.
	TaskTimeouts map[string]time.Duration
	// CancelGrace is how long a worker has to answer a call after its TaskTimeout, which goes
	// on when the caller leaves. Without a TaskTimeout it is how long it has after the caller
	// has left, and always so for a result that is a stream (on the framed wire: the plain one
	// cannot tell it). A worker that does not answer gets no more calls, is replaced at once,
	// and ended after those that it has. Default: 5 s.
	CancelGrace time.Duration
	// PingTimeout is how long a worker on the framed wire may leave a ping without an
	// answer before it is killed, because its event loop is blocked. After a third of it
	// there are no more calls for it. Negative means for ever. Default: 30 s, and for ever
	// if Command or NODE_OPTIONS has one of Node.js's --inspect flags.
	PingTimeout time.Duration
	// DrainTimeout is how long a worker that is being replaced, by Restart, by recycling or
	// because it is overdue with a call, has for the calls and streams that it still has.
	// Those that are left are cancelled on the framed wire (the handlers' signals abort), and
	// CancelGrace later the worker is stopped, with 502 WORKER_CRASHED for who still waits. A
	// stream that is cancelled is cut: its caller does not take it for a whole one. Negative
	// means no bound. Default: 5 min.
	DrainTimeout time.Duration
	// StopTimeout is how long a worker has to end when its input has ended, its
	// application's dispose included. At half of it SIGTERM is sent to it and its children,
	// at the end SIGKILL, which is logged; Windows has the second only. It bounds Shutdown as
	// a whole, too, the calls under way with it. Default: 10 s.
	StopTimeout time.Duration

	// OnSchemas, if not nil, gets the JSON Schemas that a worker on the framed wire announces,
	// maybe none, before it has calls, and again when they change. It is called
	// concurrently. A worker whose first ones it returns an error for is ended: Start fails
	// with that error. Later ones are logged and change nothing. See schema.Announced.
	OnSchemas func(protocol.Schemas) error

	// MaxCalls, MaxAge and MaxMemory say when a worker is replaced by a new one: after so
	// many calls, so long, or when its resident set is found to have so many bytes (looked
	// at each 5 s, on Linux only). MaxCalls and MaxAge are up to an eighth less, by
	// chance, so that workers do not go together. The old one has calls until the new one is
	// ready, and ends after them, or when DrainTimeout is over. Zero or less means never.
	MaxCalls  int
	MaxAge    time.Duration
	MaxMemory int64

	// MaxHeap bounds what a worker of Node, Bun or Deno keeps in its JavaScript heap, in bytes.
	// Node.js and Deno end one that needs more, as in any crash, and leave up to 48 MiB of
	// short-lived objects and all that lies outside of the heap, such as buffers, uncounted. Bun
	// has no such limit: as one comes near, it collects garbage as on a machine with
	// so much memory. Zero or less leaves it to the runtime (see the package documentation);
	// a worker of any other Command makes Start fail.
	MaxHeap int64

	// Idempotent are the ids of tasks that may be run twice: if a worker ends with such a
	// call, another one gets it, once: a call that two workers have ended with is taken for
	// what ends them, and answered 502 WORKER_CRASHED. On the framed wire workers can announce
	// them too. A call whose input is a stream is never repeated.
	Idempotent []string

	// Logger gets the workers' output, their replacements (at Info) and their deaths (at
	// Error), all from one goroutine. A line of output that is a JSON object with a level, as
	// pino, winston, bunyan and Runner's printStrategy "json" write it, is a record with that
	// level and message and its other members as attributes, up to 64; any other line is an
	// attribute of a record at Info, or at Warn if it came on standard error. All have the
	// attributes worker, pid and stream, and colours are taken out. A line is cut after 8 KiB.
	// What the logger is too slow for is dropped and counted: neither the pool nor a worker
	// ever waits for it, and the end of the pool no longer than 4 s. Nil means slog.Default().
	Logger *slog.Logger
	// Output, if not nil, gets the workers' output instead of Logger, line by line as it is,
	// colours included: os.Stderr suits development with a terminal. Lines are cut and
	// dropped as above. It is written to concurrently.
	Output io.Writer

	logs         *logs         // has the Logger behind it, which nobody waits for
	stdin        []byte        // a worker on the framed wire reads it from its standard input
	engine       *engine       // runs the module, nil for another Command
	heap         string        // a variable that makes MaxHeap known
	user         proc.User     // whom workers run as
	measureEvery time.Duration // how often MaxMemory is looked at
}

func (o Options) withDefaults() (Options, error) {
	if len(o.Command) == 0 {
		return o, errors.New("ipc: Options.Command is empty: it needs a program to run")
	}
	setDefault(&o.Workers, 1)
	o.Spares = max(o.Spares, 0)
	setDefault(&o.Concurrency, 1024)
	setDefault(&o.MaxAnswer, 128<<20)
	if o.MaxQueue == 0 {
		o.MaxQueue = 1024
	}
	setDefault(&o.MaxQueueBytes, 64<<20)
	setDefault(&o.QueueTimeout, 10*time.Second)
	setDefault(&o.StartTimeout, 10*time.Second)
	setDefault(&o.CancelGrace, 5*time.Second)
	if o.DrainTimeout == 0 {
		o.DrainTimeout = 5 * time.Minute
	}
	setDefault(&o.StopTimeout, 10*time.Second)
	setDefault(&o.measureEvery, 5*time.Second)
	if o.PingTimeout == 0 && !o.debugged() {
		o.PingTimeout = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if err := o.limitHeap(); err != nil {
		return o, err
	}
	var err error
	o.user, err = proc.LookupUser(o.User, o.Group)
	return o, err
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// debugged reports whether workers may stand still because a debugger holds them.
func (o *Options) debugged() bool {
	for _, arg := range o.Command[1:] {
		if strings.HasPrefix(arg, "--inspect") {
			return true
		}
	}
	for _, variable := range o.environment() {
		if flags, ok := strings.CutPrefix(variable, "NODE_OPTIONS="); ok && strings.Contains(flags, "--inspect") {
			return true
		}
	}
	return false
}

// environment returns the variables that a worker gets.
func (o *Options) environment() []string {
	env := o.Env
	if env == nil {
		env = os.Environ()
	}
	passed := make([]string, 0, len(env)) // not nil, which would stand for all
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		if isOfParent(name) && (o.Env == nil || value == os.Getenv(name)) {
			continue
		}
		if o.EnvFilter == nil || o.EnvFilter(name) {
			passed = append(passed, variable)
		}
	}
	if o.heap != "" {
		passed = append(passed, o.heap)
	}
	return passed
}

// isOfParent reports whether a variable tells Node.js about a channel to the process
// that has started it: where pm2, a cluster or fork started this one, a worker would take
// its own descriptors for that.
func isOfParent(name string) bool {
	return name == "NODE_CHANNEL_FD" || name == "NODE_CHANNEL_SERIALIZATION_MODE" || name == "NODE_UNIQUE_ID"
}

// schedule returns what the scheduler has to know. The plain wire has no pings and cannot
// cancel.
func (o *Options) schedule() sched.Config {
	c := sched.Config{
		Workers: o.Workers, Spare: o.Spares, Concurrency: o.Concurrency,
		MaxQueue: o.MaxQueue, MaxQueueBytes: o.MaxQueueBytes, QueueTimeout: o.QueueTimeout,
		CancelGrace: o.CancelGrace, DrainTimeout: o.DrainTimeout, StopTimeout: o.StopTimeout,
		PingTimeout: o.PingTimeout, Cancels: o.Wire != PlainWire,
		MaxCalls: o.MaxCalls, MaxAge: o.MaxAge, MaxMemory: o.MaxMemory, MeasureEvery: o.measureEvery,
	}
	if o.Wire == PlainWire {
		c.PingTimeout = 0
	}
	return c
}

// taskTimeout returns how long a worker has for a call, 0 for any time.
func (o *Options) taskTimeout(id string) time.Duration {
	if limit, ok := o.TaskTimeouts[id]; ok {
		return max(limit, 0)
	}
	return max(o.TaskTimeout, 0)
}
