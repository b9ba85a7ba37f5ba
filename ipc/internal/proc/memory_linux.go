package proc

import (
	"fmt"
	"os"
)

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
