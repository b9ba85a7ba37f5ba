//go:build !unix

package ipc

import (
	"os"
	"os/exec"
)

// inheritsFiles says whether a child can have more files than the standard three.
const inheritsFiles = false

func isolate(*exec.Cmd) {}

// terminate has no counterpart here: the end of its input is all that asks a worker
// to end.
func terminate(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// tryWrite leaves everything to the writer.
func tryWrite(*os.File, []byte) int { return 0 }
