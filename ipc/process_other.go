//go:build !unix

package ipc

import "os/exec"

func isolate(*exec.Cmd) {}

// terminate has no counterpart here: the end of its input is all that asks a worker
// to end.
func terminate(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
