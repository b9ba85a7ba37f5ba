//go:build !unix

package proc

import (
	"errors"
	"os/exec"
)

// HasExtraFiles says whether a process can have more files than the standard three.
const HasExtraFiles = false

func isolate(*exec.Cmd) {}

// LookupUser fails here, if a user or a group is named.
func LookupUser(name, groupName string) (User, error) {
	if name != "" || groupName != "" {
		return nil, errors.New("ipc: Options.User and Options.Group need Unix")
	}
	return nil, nil
}

// terminate has no counterpart here: the end of its input is all that asks a worker
// to end.
func terminate(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
