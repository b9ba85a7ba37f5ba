//go:build unix

package proc

import (
	"os/exec"
	"syscall"
)

// HasExtraFiles says whether a process can have more files than the standard three.
const HasExtraFiles = true

// isolate puts the process into a group of its own: signals meant for the server,
// Ctrl-C among them, do not reach it, and its children can be ended with it.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// terminate asks the process and its children to end. The process must not have
// been reaped yet, or its id may be somebody else's.
func terminate(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

// kill ends the process and its children, under the same condition.
func kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
