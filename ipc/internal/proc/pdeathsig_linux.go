package proc

import "syscall"

// dieWithThread has the process killed when the thread that starts it ends, which
// is with this process at the latest.
func dieWithThread(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
