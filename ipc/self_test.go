package ipc

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var background = context.Background()

func withCancel(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

// selfMeasure is what this process has.
type selfMeasure struct {
	files, goroutines, children int
	heap                        uint64
}

func measureSelf(t *testing.T) selfMeasure {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return selfMeasure{files: len(files), goroutines: runtime.NumGoroutine(), children: len(childrenOf(t, os.Getpid())), heap: mem.HeapAlloc}
}

// systemMemory returns what this process has ever got from the system.
func systemMemory() int64 {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return int64(mem.Sys)
}

// childrenOf returns the states of a process's children, zombies included, by their ids.
func childrenOf(t *testing.T, parent int) map[int]string {
	t.Helper()
	processes, err := os.ReadDir("/proc")
	require.NoError(t, err)
	children := map[int]string{}
	for _, entry := range processes {
		var pid, ppid int
		var state string
		if _, err := fmt.Sscan(entry.Name(), &pid); err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		if _, err := fmt.Sscan(after, &state, &ppid); err == nil && ppid == parent {
			children[pid] = state
		}
	}
	return children
}
