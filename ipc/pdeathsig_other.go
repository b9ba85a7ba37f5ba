//go:build unix && !linux

package ipc

import "syscall"

// dieWithThread has no counterpart here: the reaper is what ends the process.
func dieWithThread(*syscall.SysProcAttr) {}
