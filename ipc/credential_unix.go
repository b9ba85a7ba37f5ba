//go:build unix

package ipc

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// credential returns what makes a process that of a user and a group, nil if neither
// is named.
func credential(name, groupName string) (func(*exec.Cmd), error) {
	if name == "" && groupName == "" {
		return nil, nil
	}
	who := &syscall.Credential{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}
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
		who.Uid, who.Gid = number(u.Uid), number(u.Gid)
		for _, id := range groups {
			who.Groups = append(who.Groups, number(id))
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
		who.Gid, who.Groups = number(id), nil
	}
	return func(cmd *exec.Cmd) { cmd.SysProcAttr.Credential = who }, nil
}

// number reads an id as Unix has it.
func number(id string) uint32 {
	n, _ := strconv.ParseUint(id, 10, 32)
	return uint32(n)
}
