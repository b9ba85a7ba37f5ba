package proc

import (
	"fmt"
	"os"
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

// waitExit returns when the process has ended, without reaping it: as long as it is a zombie its
// id, and that of its group, cannot become another's.
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

// dieWithThread has the process killed when the thread that starts it ends, which is with this
// process at the latest.
func dieWithThread(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL }

// ResidentSet returns how much memory a process has, in bytes, 0 if that is not known.
func ResidentSet(pid int) int64 {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}
