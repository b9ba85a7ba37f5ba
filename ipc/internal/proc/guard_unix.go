//go:build unix

package proc

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

	"github.com/bluelibs/go-tunnel/ipc/internal/backoff"
)

// guardScript remembers process groups, at first the groups in its arguments, and kills them when
// its input ends.
const guardScript = `trap '' HUP INT QUIT TERM
groups=" $* "
while read -r what group; do
  case $what in
  add) groups="$groups$group " ;;
  remove) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done`

// guard is a shell that outlives this process for a moment and kills its processes' groups: children
// of processes, which nothing else would end, and on systems other than Linux the processes
// themselves. A shell that ends is replaced. If there is no shell, Linux kills the processes, and on
// other systems they have to end when their input ends.
type guard struct {
	log     *slog.Logger
	backoff backoff.Backoff // of the shell
	closing chan struct{}   // closed by close
	done    sync.WaitGroup

	mu     sync.Mutex
	groups map[int]bool
	shell  *shell // nil while there is none
}

// shell is one process of a guard.
type shell struct {
	cmd   *exec.Cmd
	input *os.File
	begun time.Time
	sound bool // it has got all messages
}

func startGuard(log *slog.Logger) *guard {
	g := &guard{log: log, closing: make(chan struct{}), groups: map[int]bool{}}
	if err := g.start(); err != nil {
		g.warn(err)
		if errors.Is(err, fs.ErrNotExist) {
			return g
		}
	}
	g.done.Go(g.run)
	return g
}

func (g *guard) warn(err error) {
	g.log.Warn("ipc: no shell: children of workers will survive if this process is killed", "error", err)
}

// start starts a shell. Its arguments have all groups, since this process may be killed before it
// sends a message.
func (g *guard) start() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	args := []string{"-c", guardScript, "sh"}
	for group := range g.groups {
		args = append(args, strconv.Itoa(group))
	}
	sh := &shell{cmd: exec.Command("/bin/sh", args...), begun: time.Now(), sound: true}
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
	g.shell = sh
	if g.closed() { // by now
		_ = sh.cmd.Process.Kill()
	}
	return nil
}

// run replaces shells that end, until close.
func (g *guard) run() {
	for {
		g.mu.Lock()
		sh := g.shell
		g.mu.Unlock()
		lifetime := time.Duration(0)
		if sh != nil {
			_ = sh.cmd.Wait()
			lifetime = time.Since(sh.begun)
			g.mu.Lock()
			g.shell = nil
			g.mu.Unlock()
			_ = sh.input.Close()
		}
		wait := g.backoff.Next(lifetime, 0)
		select {
		case <-g.closing:
		case <-time.After(wait):
		}
		if g.closed() {
			return
		}
		if sh != nil {
			g.log.Warn("ipc: the shell that kills children of workers has ended and is replaced", "after", wait)
		}
		if err := g.start(); err != nil {
			g.warn(err)
		}
	}
}

func (g *guard) closed() bool {
	select {
	case <-g.closing:
		return true
	default:
		return false
	}
}

func (g *guard) add(group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.groups[group] = true
	g.shell.send("add", group)
}

func (g *guard) remove(group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.groups, group)
	g.shell.send("remove", group)
}

// send tells a shell about a group. If the shell does not read it, because somebody has killed or
// stopped it, the shell is killed, since it does not know the right groups any more.
func (sh *shell) send(what string, group int) {
	if sh == nil || !sh.sound {
		return
	}
	_ = sh.input.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err := fmt.Fprintln(sh.input, what, group); err != nil {
		sh.sound = false
		_ = sh.cmd.Process.Kill()
	}
}

// close ends the guard. All groups must have been removed.
func (g *guard) close() {
	close(g.closing)
	g.mu.Lock()
	if g.shell != nil {
		_ = g.shell.cmd.Process.Kill()
	}
	g.mu.Unlock()
	g.done.Wait()
}
