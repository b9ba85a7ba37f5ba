//go:build unix

package pipe

import (
	"os"
	"syscall"
)

// TryWrite writes as many bytes as the pipe takes without waiting.
func TryWrite(pipe *os.File, data []byte) (n int) {
	conn, err := pipe.SyscallConn()
	if err != nil {
		return 0
	}
	_ = conn.Write(func(fd uintptr) bool {
		n, _ = syscall.Write(int(fd), data)
		return true
	})
	return max(n, 0)
}
