//go:build unix

package ipc

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// reaperScript remembers groups, those of its arguments first, and kills those that it
// remembers when its input is at its end.
const reaperScript = `trap '' HUP INT QUIT TERM
groups=" $* "
while read -r what group; do
  case $what in
  add) groups="$groups$group " ;;
  remove) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done`

// reaper is a shell that outlives this process by the moment that it takes to kill what
// is left of the workers' groups: children of workers, which nothing else would end, and
// on systems other than Linux the workers themselves. One that ends is replaced. Where there
// is no shell there is none: a worker then ends by the end of its input, and on Linux is
// killed.
type reaper struct {
	log   *slog.Logger
	pause backoff       // of the shell
	over  chan struct{} // closed by close
	done  sync.WaitGroup

	mu     sync.Mutex
	groups map[int]bool
	shell  *shell // nil while there is none
}

// shell is one process of a reaper.
type shell struct {
	cmd   *exec.Cmd
	input *os.File
	begun time.Time
	told  bool // it remembers what it should
}

func startReaper(log *slog.Logger) *reaper {
	r := &reaper{log: log, over: make(chan struct{}), groups: map[int]bool{}}
	if err := r.start(); err != nil {
		r.warn(err)
		if errors.Is(err, fs.ErrNotExist) {
			return r
		}
	}
	r.done.Go(r.keep)
	return r
}

func (r *reaper) warn(err error) {
	r.log.Warn("ipc: children of workers are not ended if this process is killed: there is no shell", "error", err)
}

// start starts a shell, which knows all groups from its first moment: this process may be
// killed in its next one.
func (r *reaper) start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	args := []string{"-c", reaperScript, "sh"}
	for group := range r.groups {
		args = append(args, strconv.Itoa(group))
	}
	sh := &shell{cmd: exec.Command("/bin/sh", args...), begun: time.Now(), told: true}
	sh.cmd.Dir, sh.cmd.Env = "/", []string{}
	sh.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	theirs, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	sh.cmd.Stdin, sh.input = theirs, ours
	err = sh.cmd.Start()
	_ = theirs.Close()
	if err != nil {
		_ = ours.Close()
		return err
	}
	r.shell = sh
	if r.closed() { // meanwhile
		_ = sh.cmd.Process.Kill()
	}
	return nil
}

// keep replaces shells that end, until close.
func (r *reaper) keep() {
	for {
		r.mu.Lock()
		sh := r.shell
		r.mu.Unlock()
		lifetime := time.Duration(0)
		if sh != nil {
			_ = sh.cmd.Wait()
			lifetime = time.Since(sh.begun)
			r.mu.Lock()
			r.shell = nil
			r.mu.Unlock()
			_ = sh.input.Close()
		}
		wait := r.pause.next(lifetime, 0)
		select {
		case <-r.over:
		case <-time.After(wait):
		}
		if r.closed() {
			return
		}
		if sh != nil {
			r.log.Warn("ipc: the shell that ends children of workers has ended: another one takes its place", "after", wait)
		}
		if err := r.start(); err != nil {
			r.warn(err)
		}
	}
}

func (r *reaper) closed() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}

func (r *reaper) add(group int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups[group] = true
	r.shell.tell("add", group)
}

func (r *reaper) remove(group int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.groups, group)
	r.shell.tell("remove", group)
}

// tell tells a shell about a group. One that does not take it, because somebody has killed
// or stopped it, is ended: what it remembers is not true any more.
func (sh *shell) tell(what string, group int) {
	if sh == nil || !sh.told {
		return
	}
	_ = sh.input.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err := fmt.Fprintln(sh.input, what, group); err != nil {
		sh.told = false
		_ = sh.cmd.Process.Kill()
	}
}

// close ends the reaper, which must remember nothing any more.
func (r *reaper) close() {
	close(r.over)
	r.mu.Lock()
	if r.shell != nil {
		_ = r.shell.cmd.Process.Kill()
	}
	r.mu.Unlock()
	r.done.Wait()
}
