//go:build !linux

package proc

import "os/exec"

// waitExit returns when the process has ended. It also reaps the process, since there is no portable
// way to wait without that.
func waitExit(cmd *exec.Cmd) { _, _ = cmd.Process.Wait() }

// dieWithThread does nothing here: on Unix the guard kills the process.
func dieWithThread(*exec.Cmd) {}

// ResidentSet returns 0: the memory is not known here.
func ResidentSet(int) int64 { return 0 }
