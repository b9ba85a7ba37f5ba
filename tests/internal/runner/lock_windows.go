package runner

import (
	"errors"
	"syscall"
	"time"
)

const sharingViolation = syscall.Errno(32)

// lock is that of the other systems: it opens a file that nobody else may have open.
func lock(path string) (unlock func(), err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	for {
		handle, err := syscall.CreateFile(name, syscall.GENERIC_READ, 0, nil, syscall.OPEN_ALWAYS, 0, 0)
		if err == nil {
			return func() { _ = syscall.CloseHandle(handle) }, nil
		}
		if !errors.Is(err, sharingViolation) {
			return nil, err
		}
		time.Sleep(50 * time.Millisecond) // there is nothing to wait for
	}
}
