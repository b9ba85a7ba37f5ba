// Package proc runs child processes: it starts them as a user, makes their pipes, logs their output,
// measures their memory, and ends them, with their children if this process is killed. The files
// *_unix.go, *_linux.go and *_other.go have what differs by operating system. The package does not
// know what the pipes transfer.
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

// Command is a program with its arguments, environment and pipes.
type Command struct {
	Args []string // the program, looked up in PATH, and its arguments
	Dir  string   // empty means this process's
	Env  []string // "key=value" each
	User User     // nil means this process's

	// ExtraFiles makes In and Out the descriptors 3 and 4 of the process, where HasExtraFiles is
	// true, instead of its standard input and output. No child of it inherits them.
	ExtraFiles bool
	Stdin      []byte // with ExtraFiles it is written to the standard input, unless nil
}

// User makes a command run as a user.
type User func(*exec.Cmd)

// Process is a child with our ends of its pipes. It makes the pipes itself, since Wait of os/exec
// closes its own pipes before the last output was read.
type Process struct {
	In  *os.File // the pipe that the process reads
	Out *os.File // the pipe that the process writes

	cmd          *exec.Cmd
	launcher     *Launcher
	input        []byte
	stdin        *os.File            // for input, nil if there is none
	outputs      map[string]*os.File // the pipes whose output is logged, by name
	ours, theirs []*os.File          // all ends; theirs are open until the child has them

	mu     sync.Mutex
	reaped bool // another process may have its id
}

// Start starts a process. Its Reap must be called.
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

// Pump copies the output of the process to o, and Command.Stdin to the process, in goroutines of g.
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

// Terminate asks the process and its children to end. It does nothing on systems other than Unix.
func (p *Process) Terminate() { p.signal(terminate) }

// Kill ends the process and, on Unix, its children.
func (p *Process) Kill() { p.signal(kill) }

// signal calls send unless another process may have the id.
func (p *Process) signal(send func(*exec.Cmd)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		send(p.cmd)
	}
}

// DrainTime is how long output is still read after the process has ended. All output of the process
// is in the pipe; only a child that inherited the pipe keeps it open longer.
const DrainTime = time.Second

// Wait returns when the process has ended. It kills the rest of its group, so that nothing keeps the
// pipes open, and sets the pipes' deadlines to DrainTime later.
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

// Launcher starts processes in such a way that they end if this process is killed. It is safe for
// concurrent use.
type Launcher struct {
	starts chan func()
	done   sync.WaitGroup
	guard  *guard
}

// NewLauncher returns a launcher. Its Close must be called.
func NewLauncher(log *slog.Logger) *Launcher {
	l := &Launcher{starts: make(chan func()), guard: startGuard(log)}
	l.done.Go(l.run)
	return l
}

// run starts all processes from one thread: Linux kills children when the thread that has started
// them ends. This thread ends with the goroutine, when there are no more processes.
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
