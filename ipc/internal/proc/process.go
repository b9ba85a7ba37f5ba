// Package proc runs child processes: their start, as which user, their pipes, what they print,
// their memory, their end, and the end of their children if this process is killed. All that
// differs by operating system is here. What goes over the pipes is not known here.
package proc

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// Command says what to run.
type Command struct {
	Args []string // the program, looked up in PATH, and its arguments
	Dir  string   // empty means this process's
	Env  []string // "key=value" each
	User User     // nil means this process's

	// ExtraFiles makes In and Out the descriptors 3 and 4 of the process, where HasExtraFiles is
	// true, instead of its standard input and output. No child of it inherits them.
	ExtraFiles bool
	Stdin      []byte // written to its standard input with ExtraFiles, unless nil
}

// User makes a command run as a user.
type User func(*exec.Cmd)

// Process is a child with our ends of its pipes. They are made by hand: those of os/exec are closed
// by its Wait, with the last output still in them.
type Process struct {
	In  *os.File // what the process reads
	Out *os.File // what the process writes

	cmd          *exec.Cmd
	launcher     *Launcher
	input        []byte
	stdin        *os.File            // for input, nil if there is none
	outputs      map[string]*os.File // what is to be logged, by name
	ours, theirs []*os.File          // all ends; theirs until the child has them

	mu     sync.Mutex
	reaped bool // its id may be another process's
}

// Start starts a process, on which Reap must be called.
func (l *Launcher) Start(c Command) (*Process, error) {
	p := &Process{cmd: exec.Command(c.Args[0], c.Args[1:]...), launcher: l, input: c.Stdin, outputs: map[string]*os.File{}}
	p.cmd.Dir, p.cmd.Env = c.Dir, c.Env
	isolate(p.cmd)
	dieWithThread(p.cmd)
	if c.User != nil {
		c.User(p.cmd)
	}
	err := p.connect(c.ExtraFiles)
	if err == nil {
		err = l.start(p.cmd)
	}
	closeAll(p.theirs)
	if err != nil {
		closeAll(p.ours)
		return nil, fmt.Errorf("ipc: start worker: %w", err)
	}
	return p, nil
}

// connect makes the pipes.
func (p *Process) connect(extraFiles bool) error {
	var errs []error
	pipe := func(toChild bool) (theirs, ours *os.File) {
		theirs, ours, err := os.Pipe()
		if !toChild {
			theirs, ours = ours, theirs
		}
		errs = append(errs, err)
		p.theirs, p.ours = append(p.theirs, theirs), append(p.ours, ours)
		return theirs, ours
	}
	var in, out *os.File
	in, p.In = pipe(true)
	out, p.Out = pipe(false)
	if extraFiles {
		p.cmd.ExtraFiles = []*os.File{in, out}
		p.cmd.Stdout, p.outputs["stdout"] = pipe(false)
		if p.input != nil {
			p.cmd.Stdin, p.stdin = pipe(true)
		}
	} else {
		p.cmd.Stdin, p.cmd.Stdout = in, out
	}
	p.cmd.Stderr, p.outputs["stderr"] = pipe(false)
	return errors.Join(errs...)
}

// PID returns the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Pump copies what the process prints to o, and Command.Stdin to the process, in goroutines of g.
// They end with the pipes.
func (p *Process) Pump(g *sync.WaitGroup, o *Output) {
	for stream, pipe := range p.outputs {
		g.Go(func() { o.read(stream, pipe) })
	}
	if p.stdin != nil {
		g.Go(func() {
			_, _ = p.stdin.Write(p.input)
			_ = p.stdin.Close()
		})
	}
}

// Terminate asks the process and its children to end, on Unix.
func (p *Process) Terminate() { p.signal(terminate) }

// Kill ends the process and, on Unix, its children.
func (p *Process) Kill() { p.signal(kill) }

// signal calls send unless it could hit another process.
func (p *Process) signal(send func(*exec.Cmd)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		send(p.cmd)
	}
}

// DrainTime is how long output is still read after the process has ended. Its own is all there by
// then; only a child that inherited the pipe keeps it open longer.
const DrainTime = time.Second

// Wait returns when the process has ended. It kills what is left of its group, so that nothing
// holds the pipes, and sets the pipes' deadlines to DrainTime later.
func (p *Process) Wait() {
	waitExit(p.cmd)
	p.Kill()
	deadline := time.Now().Add(DrainTime)
	for _, pipe := range p.ours {
		_ = pipe.SetDeadline(deadline)
	}
}

// Reap collects the exit state after Wait, and closes the pipes.
func (p *Process) Reap() (state string) {
	p.mu.Lock()
	p.reaped = true
	p.mu.Unlock()
	p.launcher.guard.remove(p.PID())
	_ = p.cmd.Wait()
	closeAll(p.ours)
	if p.cmd.ProcessState == nil {
		return "exited"
	}
	return p.cmd.ProcessState.String()
}

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// Launcher starts processes so that none is left when this process is killed. It is safe for
// concurrent use.
type Launcher struct {
	starts chan func()
	done   sync.WaitGroup
	guard  *guard
}

// NewLauncher returns a launcher, on which Close must be called.
func NewLauncher(log *slog.Logger) *Launcher {
	l := &Launcher{starts: make(chan func()), guard: startGuard(log)}
	l.done.Go(l.run)
	return l
}

// run starts what comes, all from one thread: on Linux children are killed when the thread ends
// that has started them. This one ends with the goroutine, when there are no more processes.
func (l *Launcher) run() {
	runtime.LockOSThread()
	for start := range l.starts {
		start()
	}
}

func (l *Launcher) start(cmd *exec.Cmd) error {
	err := make(chan error, 1)
	l.starts <- func() { err <- cmd.Start() }
	if err := <-err; err != nil {
		return err
	}
	l.guard.add(cmd.Process.Pid)
	return nil
}

// Close ends the launcher. All its processes must have been reaped.
func (l *Launcher) Close() {
	close(l.starts)
	l.done.Wait()
	l.guard.close()
}
