package proc

import (
	"log/slog"
	"os/exec"
	"runtime"
	"sync"
)

// Launcher starts processes so that none is left when this process is killed. It is safe for
// concurrent use.
type Launcher struct {
	starts chan start
	done   sync.WaitGroup
	guard  *guard
}

// start is a process to start.
type start struct {
	cmd *exec.Cmd
	err chan<- error
}

// NewLauncher returns a launcher, on which Close must be called.
func NewLauncher(log *slog.Logger) *Launcher {
	l := &Launcher{starts: make(chan start), guard: startGuard(log)}
	l.done.Go(l.run)
	return l
}

// run starts what comes, all from one thread: on Linux children are killed when the
// thread ends that has started them. This one ends with the goroutine, when there are
// no more processes.
func (l *Launcher) run() {
	runtime.LockOSThread()
	for start := range l.starts {
		start.err <- start.cmd.Start()
	}
}

func (l *Launcher) start(cmd *exec.Cmd) error {
	err := make(chan error, 1)
	l.starts <- start{cmd, err}
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
