//go:build !linux

package proc

import "os/exec"

// waitExit returns when the process has ended. It is reaped here: there is no portable way to wait
// without that.
func waitExit(cmd *exec.Cmd) { _, _ = cmd.Process.Wait() }

// dieWithThread has no counterpart here: on Unix the guard kills the process.
func dieWithThread(*exec.Cmd) {}

// ResidentSet is not known here.
func ResidentSet(int) int64 { return 0 }
