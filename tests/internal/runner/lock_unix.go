//go:build unix

package runner

import (
	"os"
	"syscall"
)

// lock waits for a file that no other process holds, and returns how to give it back. A
// process that ends gives back all that it has.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
