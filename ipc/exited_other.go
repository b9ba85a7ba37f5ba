//go:build !linux

package ipc

import "os/exec"

// awaitExit returns when the process has ended. It is reaped here: there is no
// portable way to wait without that.
func awaitExit(cmd *exec.Cmd) { _, _ = cmd.Process.Wait() }
