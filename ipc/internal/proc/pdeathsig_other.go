//go:build unix && !linux

package proc

import "syscall"

// dieWithThread has no counterpart here: the guard kills the process.
func dieWithThread(*syscall.SysProcAttr) {}
