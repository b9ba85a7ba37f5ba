package ipc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// process is a child with our ends of its three pipes. They are made by hand:
// those of os/exec are closed by its Wait, with the last output still in them.
type process struct {
	cmd            *exec.Cmd
	stdin          *os.File
	stdout, stderr *os.File

	mu     sync.Mutex
	reaped bool // its id may be another process's
}

// startProcess starts a worker's program.
func startProcess(opts *Options) (*process, error) {
	p := &process{cmd: exec.Command(opts.Command[0], opts.Command[1:]...)}
	p.cmd.Dir, p.cmd.Env = opts.Dir, opts.Env
	isolate(p.cmd)

	var stdin, stdout, stderr *os.File // the child's ends
	var errs [3]error
	stdin, p.stdin, errs[0] = os.Pipe()
	p.stdout, stdout, errs[1] = os.Pipe()
	p.stderr, stderr, errs[2] = os.Pipe()
	defer func() { closeAll(stdin, stdout, stderr) }()
	err := errors.Join(errs[:]...)
	if err == nil {
		p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, stdout, stderr
		err = p.cmd.Start()
	}
	if err != nil {
		closeAll(p.stdin, p.stdout, p.stderr)
		return nil, fmt.Errorf("ipc: start worker: %w", err)
	}
	return p, nil
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
	for _, pipe := range []*os.File{p.stdin, p.stdout, p.stderr} {
		_ = pipe.SetDeadline(deadline)
	}
}

// reap collects the exit state after await, and closes the pipes.
func (p *process) reap() (state string) {
	p.mu.Lock()
	p.reaped = true
	p.mu.Unlock()
	_ = p.cmd.Wait()
	closeAll(p.stdin, p.stdout, p.stderr)
	if p.cmd.ProcessState == nil {
		return "exited"
	}
	return p.cmd.ProcessState.String()
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}
