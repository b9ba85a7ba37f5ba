package ipc

import (
	"log/slog"
	"os/exec"
	"runtime"
	"sync"
)

// launcher starts a pool's processes so that none is left when this one is killed.
type launcher struct {
	starts chan launch
	done   sync.WaitGroup
	reaper *reaper
}

// launch is a process to start.
type launch struct {
	cmd *exec.Cmd
	err chan<- error
}

func newLauncher(log *slog.Logger) *launcher {
	l := &launcher{starts: make(chan launch), reaper: startReaper(log)}
	l.done.Go(l.run)
	return l
}

// run starts what comes, all from one thread: on Linux children are killed when the
// thread ends that has started them. This one ends with the goroutine, when the pool
// has no more processes.
func (l *launcher) run() {
	runtime.LockOSThread()
	for start := range l.starts {
		start.err <- start.cmd.Start()
	}
}

// start starts a process, which must be forgotten before it is reaped.
func (l *launcher) start(cmd *exec.Cmd) error {
	err := make(chan error, 1)
	l.starts <- launch{cmd, err}
	if err := <-err; err != nil {
		return err
	}
	l.reaper.add(cmd.Process.Pid)
	return nil
}

// forget takes that a process and its children have ended.
func (l *launcher) forget(cmd *exec.Cmd) { l.reaper.remove(cmd.Process.Pid) }

// close ends the launcher. No process may be left.
func (l *launcher) close() {
	close(l.starts)
	l.done.Wait()
	l.reaper.close()
}
