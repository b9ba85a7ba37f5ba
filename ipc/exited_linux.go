package ipc

import (
	"os/exec"
	"syscall"
	"unsafe"
)

// Constants of waitid(2) that package syscall does not have.
const (
	idPID    = 1          // P_PID
	itExited = 0x00000004 // WEXITED
	leaveIt  = 0x01000000 // WNOWAIT
)

// awaitExit returns when the process has ended, without reaping it: as long as it
// is a zombie its id, and that of its group, cannot become another's.
func awaitExit(cmd *exec.Cmd) {
	var info [128]byte // siginfo_t
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, idPID, uintptr(cmd.Process.Pid),
			uintptr(unsafe.Pointer(&info)), itExited|leaveIt, 0, 0)
		if errno != syscall.EINTR {
			return
		}
	}
}
