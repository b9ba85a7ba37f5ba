package ipc

import "syscall"

// dieWithThread lets the process be killed when the thread ends that starts it, which
// is with this process at the latest.
func dieWithThread(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
