package pipe

import (
	"os"
	"syscall"
	"unsafe"
)

// Unread returns how many bytes that were written to a pipe have not been read.
func Unread(pipe *os.File) int64 {
	conn, err := pipe.SyscallConn()
	if err != nil {
		return 0
	}
	var n int32
	_ = conn.Control(func(fd uintptr) {
		_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&n)))
	})
	return int64(n)
}
