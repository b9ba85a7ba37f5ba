// Package runner installs Runner 5.5.0 and runs programs of Node.js.
package runner

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/require"
)

const (
	version = "5.5.0"

	installBound = 3 * time.Minute
	stopBound    = 10 * time.Second
)

const (
	// StartBound is for a program that does not get ready.
	StartBound = 60 * time.Second
	// ScriptBound is for a script that does not end.
	ScriptBound = 2 * time.Minute
)

// Dir is the folder of the programs, and where Runner is installed.
var Dir = Testdata("runner")

// Testdata returns the path of a folder in tests/testdata, from wherever the tests of a
// package of this module run.
func Testdata(name string) string { return filepath.Join(Root(), "tests", "testdata", name) }

// Root returns the folder of this module.
func Root() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "architecture_test.go")); err == nil {
			return dir
		}
	}
	panic("the tests run outside the module")
}

// Install makes sure that Runner is installed in Dir. Without it a test is skipped,
// except in CI, where it fails.
func Install(t testing.TB) {
	t.Helper()
	err := installOnce()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("no Runner %s to compare with: %v", version, err)
	default:
		t.Skipf("no Runner %s to compare with: %v", version, err)
	}
}

var installOnce = sync.OnceValue(func() error {
	if _, err := exec.LookPath("node"); err != nil {
		return err
	}
	// The tests of several packages, each a process, may want it at the same time.
	unlock, err := lock(filepath.Join(Dir, ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	missing := isInstalled()
	if missing == nil {
		return nil
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.Join(missing, err)
	}
	// The mark of a whole installation goes first, so that one which is cut short has none.
	if err := os.Remove(installedLock); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), installBound)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci")
	cmd.Dir = Dir
	cmd.WaitDelay = time.Second // its children may keep the output open
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return isInstalled()
})

// installedLock is npm's own note of what it has installed, written at the very end.
var installedLock = filepath.Join(Dir, "node_modules", ".package-lock.json")

// isInstalled returns nil if everything that package-lock.json asks for is installed.
func isInstalled() error {
	type entry struct {
		Version   string `json:"version"`
		Integrity string `json:"integrity"`
	}
	var wanted, installed struct {
		Packages map[string]entry `json:"packages"`
	}
	var runner entry
	err := errors.Join(
		ReadJSON(filepath.Join(Dir, "package-lock.json"), &wanted),
		ReadJSON(installedLock, &installed),
		ReadJSON(filepath.Join(Dir, "node_modules", "@bluelibs", "runner", "package.json"), &runner),
	)
	if err != nil {
		return err
	}
	delete(wanted.Packages, "") // the folder itself
	if !maps.Equal(wanted.Packages, installed.Packages) {
		return errors.New("node_modules is not what package-lock.json asks for")
	}
	if runner.Version != version {
		return fmt.Errorf("node_modules has Runner %q", runner.Version)
	}
	return nil
}

// ReadJSON reads a file of JSON.
func ReadJSON(path string, to any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// Command returns a program of Node.js in a folder, with these variables more.
func Command(dir string, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command("node", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// StartServer runs a program that prints {"port":N} when it is ready, and ends with its
// standard input, until the test ends, and returns its address.
func StartServer(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	name := cmd.Args[1]
	var stderr strings.Builder // to be read after Wait only
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	kill := func() { _ = cmd.Process.Kill() }

	t.Cleanup(func() {
		_ = stdin.Close() // which asks it to end
		late := time.AfterFunc(stopBound, kill)
		defer late.Stop()
		_, _ = io.Copy(io.Discard, stdout) // to the end: Wait closes the pipe
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if t.Failed() {
			t.Logf("%s on stderr: %q", name, stderr.String())
		}
	})

	late := time.AfterFunc(StartBound, kill)
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	late.Stop()
	require.NoError(t, err, "%s ended, or was killed, before it was ready: %s", name, &stderr)
	var ready struct {
		Port int `json:"port"`
	}
	require.NoError(t, json.Unmarshal(line, &ready), "%s printed %q", name, line)
	require.NotZero(t, ready.Port, "%s printed %q", name, line)
	return fmt.Sprintf("http://127.0.0.1:%d", ready.Port)
}
