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

// waitExit returns when the process has ended, and does not reap it: while it is a zombie, no other
// process or group can get its id.
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

// dieWithThread makes Linux kill the process when the thread that starts it ends, which happens when
// this process ends at the latest.
func dieWithThread(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL }

// ResidentSet returns the memory of a process in bytes, 0 if that is not known.
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
