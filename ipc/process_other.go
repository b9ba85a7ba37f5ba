//go:build !unix

package ipc

import (
	"errors"
	"os"
	"os/exec"
)

// inheritsFiles says whether a child can have more files than the standard three.
const inheritsFiles = false

func isolate(*exec.Cmd) {}

func credential(user, group string) (func(*exec.Cmd), error) {
	if user != "" || group != "" {
		return nil, errors.New("ipc: Options.User and Options.Group need Unix")
	}
	return nil, nil
}

// terminate has no counterpart here: the end of its input is all that asks a worker
// to end.
func terminate(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// tryWrite leaves everything to the writer.
func tryWrite(*os.File, []byte) int { return 0 }
