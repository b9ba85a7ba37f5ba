package ipc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// process is a child with our ends of its pipes. They are made by hand: those of
// os/exec are closed by its Wait, with the last output still in them.
type process struct {
	cmd            *exec.Cmd
	launch         *launcher
	calls, answers *os.File            // the wire
	script         *os.File            // the standard input, if a script goes there
	outputs        map[string]*os.File // what is to be logged, by name
	ours, theirs   []*os.File          // all ends; theirs until the child has them

	mu     sync.Mutex
	reaped bool // its id may be another process's
}

// startProcess starts a worker's program.
func startProcess(opts *Options, launch *launcher) (*process, error) {
	p := &process{cmd: exec.Command(opts.Command[0], opts.Command[1:]...), launch: launch, outputs: map[string]*os.File{}}
	p.cmd.Dir, p.cmd.Env = opts.Dir, opts.environment()
	isolate(p.cmd)
	if opts.become != nil {
		opts.become(p.cmd)
	}
	err := p.connect(opts)
	if err == nil {
		err = launch.start(p.cmd)
	}
	closeAll(p.theirs)
	if err != nil {
		closeAll(p.ours)
		return nil, fmt.Errorf("ipc: start worker: %w", err)
	}
	return p, nil
}

// connect makes the pipes: the plain wire has the standard input and output, the
// framed one two descriptors of its own, which no child of the worker inherits.
func (p *process) connect(opts *Options) error {
	var errs []error
	pipe := func() (r, w *os.File) {
		r, w, err := os.Pipe()
		errs = append(errs, err)
		return r, w
	}
	toChild := func() (theirs, ours *os.File) {
		theirs, ours = pipe()
		p.theirs, p.ours = append(p.theirs, theirs), append(p.ours, ours)
		return theirs, ours
	}
	fromChild := func() (theirs, ours *os.File) {
		ours, theirs = pipe()
		p.theirs, p.ours = append(p.theirs, theirs), append(p.ours, ours)
		return theirs, ours
	}

	calls, ours := toChild()
	p.calls = ours
	answers, ours := fromChild()
	p.answers = ours
	if opts.Plain || !inheritsFiles {
		p.cmd.Stdin, p.cmd.Stdout = calls, answers
	} else {
		p.cmd.ExtraFiles = []*os.File{calls, answers}
		p.cmd.Stdout, p.outputs["stdout"] = fromChild()
		if opts.script != nil {
			p.cmd.Stdin, p.script = toChild()
		}
	}
	p.cmd.Stderr, p.outputs["stderr"] = fromChild()
	if !opts.Plain {
		where := wireFDs
		if !inheritsFiles {
			where = wireStdio
		}
		p.cmd.Env = append(p.cmd.Environ(), wireEnv+"="+where)
	}
	return errors.Join(errs...)
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// signal calls send, which is kill or terminate, unless that could hit another process.
func (p *process) signal(send func(*exec.Cmd)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		send(p.cmd)
	}
}

// drainTime is how long output is still read after the process has ended. Its own is
// all there by then; only a child that inherited the pipe keeps it open longer.
const drainTime = time.Second

// await returns when the process has ended. It kills what is left of its group, so
// that nothing holds the pipes, and bounds what those at our ends still wait.
func (p *process) await() {
	awaitExit(p.cmd)
	p.signal(kill)
	deadline := time.Now().Add(drainTime)
	for _, pipe := range p.ours {
		_ = pipe.SetDeadline(deadline)
	}
}

// reap collects the exit state after await, and closes the pipes.
func (p *process) reap() (state string) {
	p.mu.Lock()
	p.reaped = true
	p.mu.Unlock()
	p.launch.forget(p.cmd)
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
