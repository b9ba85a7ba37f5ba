package proc

import (
	"os/exec"
	"syscall"
	"unsafe"
)

// Constants of waitid(2) that package syscall does not have.
const (
	idPID    = 1          // P_PID
	itExited = 0x00000004 // WEXITED
	noWait   = 0x01000000 // WNOWAIT
)

// waitExit returns when the process has ended, without reaping it: as long as it
// is a zombie its id, and that of its group, cannot become another's.
func waitExit(cmd *exec.Cmd) {
	var info [128]byte // siginfo_t
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, idPID, uintptr(cmd.Process.Pid),
			uintptr(unsafe.Pointer(&info)), itExited|noWait, 0, 0)
		if errno != syscall.EINTR {
			return
		}
	}
}
