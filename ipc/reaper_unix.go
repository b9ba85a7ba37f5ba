//go:build unix

package ipc

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// reaperScript remembers groups, and kills those that it remembers when its input is
// at its end.
const reaperScript = `trap '' HUP INT QUIT TERM
groups=' '
while read -r what group; do
  case $what in
  add) groups="$groups$group " ;;
  remove) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done`

// reaper is a shell that outlives this process by the moment that it takes to kill what
// is left of the workers' groups: children of workers, which nothing else would end, and
// on systems other than Linux the workers themselves. Without a shell there is none: a
// worker then ends by the end of its input, and on Linux is killed.
type reaper struct {
	cmd    *exec.Cmd
	log    *slog.Logger
	groups *os.File // its input; nil if there is no reaper

	mu   sync.Mutex
	lost bool
}

func startReaper(log *slog.Logger) *reaper {
	r := &reaper{cmd: exec.Command("/bin/sh", "-c", reaperScript), log: log}
	r.cmd.Dir, r.cmd.Env = "/", []string{}
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	theirs, ours, err := os.Pipe()
	if err == nil {
		r.cmd.Stdin = theirs
		if err = r.cmd.Start(); err != nil {
			_ = ours.Close()
		}
		_ = theirs.Close()
	}
	if err != nil {
		log.Warn("ipc: children of workers are not ended if this process is killed: no shell", "error", err)
		return r
	}
	r.groups = ours
	return r
}

func (r *reaper) add(group int) { r.tell("add", group) }

func (r *reaper) remove(group int) { r.tell("remove", group) }

func (r *reaper) tell(what string, group int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.groups == nil || r.lost {
		return
	}
	_ = r.groups.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err := fmt.Fprintln(r.groups, what, group); err != nil { // somebody has killed or stopped it
		r.lost = true
		_ = r.cmd.Process.Kill() // what it remembers is not true any more
		r.log.Warn("ipc: children of workers are not ended if this process is killed: the shell is gone", "error", err)
	}
}

// close ends the reaper, which must remember nothing any more.
func (r *reaper) close() {
	if r.groups != nil {
		_ = r.groups.Close()
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
	}
}
