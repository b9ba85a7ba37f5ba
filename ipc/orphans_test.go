package ipc

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serveOrphans is a server that is going to be killed. It runs in a child process.
func serveOrphans(module string) {
	opts := run(module)
	opts.Workers, opts.Logger, opts.Env = 4, discard, []string{"PATH=" + os.Getenv("PATH")}
	pool, err := Start(background, opts)
	if err != nil {
		panic(err)
	}
	for range 4 { // each of them, with its task that never ends
		go func() { _, _ = pool.Execute(background, task("never", "")) }()
	}
	select {}
}

// Nothing of a server is left when it was killed.
func TestNoOrphans(t *testing.T) {
	for name, never := range map[string]string{
		"timers": `await new Promise(() => setInterval(() => {}, 1000));`,
		"busy":   `for (;;);`,
		"children": `const child = require("node:child_process").spawn("sleep", ["3600"], { stdio: "ignore" });
			await new Promise(() => {});`,
	} {
		t.Run(name, func(t *testing.T) {
			module := filepath.Join(t.TempDir(), "tasks.cjs")
			mark := filepath.Join(filepath.Dir(module), "running")
			writeModule(t, module, fmt.Sprintf(`module.exports = { tasks: { never: async () => {
				require("node:fs").appendFileSync(%q, process.pid + "\n");
				%s
			} } };`, mark, never))
			server := exec.Command(os.Args[0])
			server.Env = append(os.Environ(), "IPC_TEST_WORKER=server: "+module)
			require.NoError(t, server.Start())
			eventually(t, func() bool { return len(lines(mark)) == 4 })
			workers := lines(mark)
			if name == "children" {
				eventually(t, func() bool { return len(inGroups(t, workers)) == 8 })
			}
			require.Len(t, childrenOf(t, server.Process.Pid), 5, "four workers and the guard")
			if name == "children" { // its successor knows as much
				shell := shellOf(t, server.Process.Pid)
				require.NoError(t, syscall.Kill(shell, syscall.SIGKILL))
				eventually(t, func() bool { other := shellOf(t, server.Process.Pid); return other != 0 && other != shell })
			}
			require.NoError(t, server.Process.Kill())
			_ = server.Wait()
			begin := time.Now()
			eventually(t, func() bool { return len(inGroups(t, workers)) == 0 })
			t.Log("nothing left after", time.Since(begin))
		})
	}
}

// shellOf returns the shell that a process has as a child, 0 if there is none.
func shellOf(t *testing.T, parent int) int {
	for pid, state := range childrenOf(t, parent) {
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && string(name) == "sh\n" && state != "Z" {
			return pid
		}
	}
	return 0
}

func lines(file string) (all []string) {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		all = append(all, s.Text())
	}
	return all
}

// inGroups returns the processes that run in groups of that names.
func inGroups(t *testing.T, groups []string) (all []string) {
	t.Helper()
	processes, err := os.ReadDir("/proc")
	require.NoError(t, err)
	for _, entry := range processes {
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		var state, ppid, group string
		if _, err := fmt.Sscan(after, &state, &ppid, &group); err != nil || state == "Z" || state == "X" {
			continue
		}
		for _, g := range groups {
			if g == group {
				all = append(all, entry.Name())
			}
		}
	}
	return all
}
