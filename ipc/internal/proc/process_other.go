//go:build !unix

package proc

import (
	"errors"
	"log/slog"
	"os/exec"
)

// HasExtraFiles says whether a process can have more files than the standard three.
const HasExtraFiles = false

func isolate(*exec.Cmd) {}

// LookupUser fails here if it gets a user or a group.
func LookupUser(name, groupName string) (User, error) {
	if name != "" || groupName != "" {
		return nil, errors.New("ipc: Options.User and Options.Group need Unix")
	}
	return nil, nil
}

// terminate does nothing here: only the end of its input asks a worker to end.
func terminate(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// guard does nothing here: a process has to end by itself when its input ends.
type guard struct{}

func startGuard(*slog.Logger) *guard { return nil }

func (*guard) add(int) {}

func (*guard) remove(int) {}

func (*guard) close() {}
