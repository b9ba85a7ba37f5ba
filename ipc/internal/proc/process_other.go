//go:build !unix

package proc

import "os/exec"

// HasExtraFiles says whether a process can have more files than the standard three.
const HasExtraFiles = false

func isolate(*exec.Cmd) {}

// terminate has no counterpart here: the end of its input is all that asks a worker
// to end.
func terminate(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
