//go:build !unix

package proc

import (
	"errors"
	"os/exec"
)

// User makes a command run as a user.
type User func(*exec.Cmd)

// LookupUser fails here, if a user or a group is named.
func LookupUser(name, groupName string) (User, error) {
	if name != "" || groupName != "" {
		return nil, errors.New("ipc: Options.User and Options.Group need Unix")
	}
	return nil, nil
}
