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
	// FramedWire has files, streams and cancellation. Workers speak it with the npm package
	// @bluelibs/tunnel-worker, or with the runtime that Node, Bun and Deno add.
	FramedWire Wire = iota
	// PlainWire has lines of JSON, which a worker can write without any library.
	PlainWire
)

// Options says what a pool runs, and how. Every field but Command has a default.
type Options struct {
	// Command is the worker's program, which is looked up in PATH, and its arguments.
	Command []string
	// Dir is the worker's working directory. Empty means this process's.
	Dir string
	// Env is the worker's environment, each entry "key=value". Nil means this process's, without
	// the variables of Node.js's own channel to a parent process (NODE_CHANNEL_FD and its like).
	// A copy of this process's environment loses them, too.
	Env []string
	// EnvFilter reports whether a variable of Env is passed on, by its name. Nil passes all.
	EnvFilter func(name string) bool
	// User and Group are the user and the group that workers run as, by name or number. This
	// process needs the right to change them. Empty User means this process's. Empty Group
	// means the user's own group and all its other groups; a Group that is set is the only one.
	// They work on Unix only: elsewhere Start fails.
	User, Group string

	// Wire is the wire that a worker speaks. Default: FramedWire.
	Wire Wire
	// PlainContext adds "requestId" and, if there is one, "identity" to each message of the
	// plain wire, which does not have them otherwise.
	PlainContext bool

	// Workers is the number of processes that take calls. State that tasks keep in memory
	// is per process. Default: 1.
	Workers int
	// Spares is the number of further workers that stand by, ready to replace a worker that
	// ends. Default: none.
	Spares int
	// Concurrency is the number of calls that a worker has at once. A call whose caller has
	// disconnected counts until the worker has answered it. Default: 1024.
	Concurrency int
	// MaxAnswer is the longest answer of a worker, in bytes. A call with a longer answer fails,
	// and the error in the log says so. Results that are streams do not count. An answer is in
	// memory as a whole: it takes twice its size while it is read, which happens to one answer
	// of each worker at a time, and its size until its caller has it. Default: 128 MiB.
	MaxAnswer int

	// MaxQueue is the number of calls that wait when all workers are busy. Further calls are
	// refused with 503 OVERLOADED. Negative means none. Default: 1024.
	MaxQueue int
	// MaxQueueBytes bounds the inputs of the waiting calls together. Default: 64 MiB.
	MaxQueueBytes int
	// QueueTimeout is how long a call waits before it is refused. Default: 10 s.
	QueueTimeout time.Duration
	// StartTimeout is the time that a worker on the framed wire has to send its hello.
	// Default: 10 s.
	StartTimeout time.Duration
	// TaskTimeout is the time that a worker (not a task in Go beside it) has for a call, from
	// when the worker gets it to its answer or the start of its result's stream. After that the
	// caller gets 504 TASK_TIMEOUT, and the call is cancelled on the framed wire. The time in
	// which a form or a raw body arrives counts: give tasks with uploads more. Zero or less
	// means no bound.
	TaskTimeout time.Duration
	// TaskTimeouts are the times of single tasks and events, by id, instead of TaskTimeout.
	TaskTimeouts map[string]time.Duration
	// CancelGrace is the time that a worker has to answer a call after its TaskTimeout, which
	// goes on when the caller disconnects. Without a TaskTimeout, and always for a result that
	// is a stream, it is the time after the caller has disconnected (on the framed wire: the
	// plain wire has no message for that). A worker that does not answer in time gets no more
	// calls, is replaced at once, and ends after its other calls. Default: 5 s.
	CancelGrace time.Duration
	// PingTimeout is the time that a worker on the framed wire has to answer a ping. A worker
	// that does not, because its event loop is blocked, gets no more calls after a third of the
	// time and is killed at its end. Negative means for ever. Default: 30 s, and for ever if
	// Command or NODE_OPTIONS has one of Node.js's --inspect flags.
	PingTimeout time.Duration
	// DrainTimeout is the time that a worker has for the rest of its calls and streams while it
	// is replaced: by Restart, by recycling or because a call is overdue. After that they are
	// cancelled on the framed wire (the handlers' signals abort). CancelGrace later the worker
	// is stopped, and callers who still wait get 502 WORKER_CRASHED. A cancelled stream breaks
	// off, so that its caller can tell that it is not whole. Negative means no bound. Default:
	// 5 min.
	DrainTimeout time.Duration
	// StopTimeout is the time that a worker has to end after the end of its input, its
	// application's dispose included. At half of it the worker and its children get SIGTERM, and
	// at its end SIGKILL, which is logged; Windows has only the second. It also bounds Shutdown
	// as a whole, with the calls under way. Default: 10 s.
	StopTimeout time.Duration

	// OnSchemas, if not nil, gets the JSON Schemas that a worker on the framed wire announces,
	// maybe none, before the worker has calls, and again when they change. It is called
	// concurrently. If it returns an error for a worker's first schemas, the worker is ended,
	// and Start fails with that error. An error for later schemas is logged, and the schemas
	// change nothing. See schema.Announced.
	OnSchemas func(protocol.Schemas) error

	// MaxCalls, MaxAge and MaxMemory say when a new worker replaces a worker: after so many
	// calls, after so long, or when its resident set has more bytes (it is measured every 5 s,
	// on Linux only). MaxCalls and MaxAge are at random up to an eighth less, so that workers
	// are not all replaced together. The old worker has calls until the new one is ready, and
	// ends after them, or after DrainTimeout. Zero or less means never.
	MaxCalls  int
	MaxAge    time.Duration
	MaxMemory int64

	// MaxHeap bounds the JavaScript heap of a worker of Node, Bun or Deno, in bytes. Node.js and
	// Deno end a worker that needs more, as in a crash; they do not count up to 48 MiB of
	// short-lived objects, nor what is outside the heap, such as buffers. Bun has no such limit:
	// near MaxHeap it collects garbage as on a machine with so much memory. Zero or less leaves
	// the limit to the runtime (see the package documentation). Start fails if MaxHeap is set
	// for any other Command.
	MaxHeap int64

	// Idempotent are the ids of tasks that may run twice. If a worker ends with such a call,
	// another worker gets it, once: if two workers end with a call, the call may be the cause,
	// and its answer is 502 WORKER_CRASHED. On the framed wire workers can announce the ids,
	// too. A call whose input is a stream is never repeated.
	Idempotent []string

	// Logger gets the workers' output, their replacements (at Info) and their failures (at
	// Error), all from one goroutine. A line of output that is a JSON object with a level, as
	// pino, winston, bunyan and Runner's printStrategy "json" write it, becomes a record with
	// that level and message, and up to 64 other members become attributes. Any other line is
	// an attribute of a record at Info, or at Warn if it comes from standard error. All have
	// the attributes worker, pid and stream. Colours are removed, and a line is cut after
	// 8 KiB. Records that come faster than the logger takes them are dropped and counted:
	// neither the pool nor a worker waits for it, and the end of the pool waits 4 s at most.
	// Nil means slog.Default().
	Logger *slog.Logger
	// Output, if not nil, gets the workers' output instead of Logger, line by line and
	// unchanged, with its colours: os.Stderr suits development with a terminal. Lines are cut
	// and dropped as above. It is written to concurrently.
	Output io.Writer

	logs         *logs         // the queue in front of Logger
	stdin        []byte        // what a worker on the framed wire reads from its standard input
	engine       *engine       // runs the module, nil for another Command
	heap         string        // a variable that sets MaxHeap
	user         proc.User     // the user and groups that workers run as
	measureEvery time.Duration // how often the memory of workers is measured
}

func (o Options) withDefaults() (Options, error) {
	if len(o.Command) == 0 {
		return o, errors.New("ipc: Options.Command is empty")
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

// debugged reports whether a debugger may stop workers for long.
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
	passed := make([]string, 0, len(env)) // not nil, which would mean all
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

// isOfParent reports whether a variable tells Node.js about a channel to its parent process. If
// pm2, a cluster or fork has started this process, a worker would mistake its own descriptors for
// that channel.
func isOfParent(name string) bool {
	return name == "NODE_CHANNEL_FD" || name == "NODE_CHANNEL_SERIALIZATION_MODE" || name == "NODE_UNIQUE_ID"
}

// schedule returns the scheduler's limits. The plain wire can neither ping nor cancel.
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
