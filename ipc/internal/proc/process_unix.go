//go:build unix

package proc

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// HasExtraFiles says whether a process can have more files than the standard three.
const HasExtraFiles = true

// isolate puts the process into a group of its own: it does not get signals to the server such as
// Ctrl-C, and its children can be ended with it.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminate asks the process and its children to end. The process must not have been reaped, since
// another process may have its id then.
func terminate(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

// kill ends the process and its children, under the same condition.
func kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// LookupUser returns the user with a name or number. If groupName is not empty, that group replaces
// the user's own groups. It returns nil if both are empty.
func LookupUser(name, groupName string) (User, error) {
	if name == "" && groupName == "" {
		return nil, nil
	}
	credential := &syscall.Credential{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			if u, err = user.LookupId(name); err != nil {
				return nil, fmt.Errorf("ipc: Options.User: %w", err)
			}
		}
		groups, err := u.GroupIds()
		if err != nil {
			return nil, fmt.Errorf("ipc: the groups of Options.User: %w", err)
		}
		credential.Uid, credential.Gid = number(u.Uid), number(u.Gid)
		for _, id := range groups {
			credential.Groups = append(credential.Groups, number(id))
		}
	}
	if groupName != "" {
		id := groupName
		if _, err := strconv.ParseUint(id, 10, 32); err != nil {
			g, err := user.LookupGroup(groupName)
			if err != nil {
				return nil, fmt.Errorf("ipc: Options.Group: %w", err)
			}
			id = g.Gid
		}
		credential.Gid, credential.Groups = number(id), nil
	}
	return func(cmd *exec.Cmd) { cmd.SysProcAttr.Credential = credential }, nil
}

// number parses an id of a user or a group.
func number(id string) uint32 {
	n, _ := strconv.ParseUint(id, 10, 32)
	return uint32(n)
}
