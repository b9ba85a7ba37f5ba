//go:build unix

package proc

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs a shell script that reads and writes as a worker would, until it has ended, and
// returns what it has written, printed and its exit state.
func run(t *testing.T, c Command, script, input string, end func(p *Process)) (written, printed, state string) {
	t.Helper()
	l := NewLauncher(slog.New(slog.DiscardHandler))
	defer l.Close()
	c.Args, c.Env = []string{"/bin/sh", "-c", script}, []string{"PATH=" + os.Getenv("PATH")}
	p, err := l.Start(c)
	require.NoError(t, err)
	var raw bytes.Buffer
	output := NewOutput(slog.New(slog.DiscardHandler), p.PID(), &raw)
	var pipes, logging sync.WaitGroup
	logging.Go(output.Run)
	p.Pump(&pipes, output)
	var out []byte
	pipes.Go(func() {
		var err error
		out, err = io.ReadAll(p.Out)
		assert.NoError(t, err, "a child still holds the pipe")
	})
	_, err = io.WriteString(p.In, input)
	require.NoError(t, err)
	end(p)
	p.Wait()
	pipes.Wait()
	state = p.Reap()
	output.Close()
	logging.Wait()
	p.Kill() // nobody: its id may be another process's
	return string(out), raw.String(), state
}

func closeInput(p *Process) { _ = p.In.Close() }

func TestProcess(t *testing.T) {
	written, printed, state := run(t, Command{}, `read x; echo "got $x"; echo oops >&2; exit 3`, "hello\n", closeInput)
	assert.Equal(t, []string{"got hello\n", "oops\n", "exit status 3"}, []string{written, printed, state})
}

func TestProcessWithExtraFiles(t *testing.T) {
	written, printed, state := run(t, Command{ExtraFiles: true, Stdin: []byte("program")},
		`read x <&3; echo "got $x" >&4; echo "out $(cat)"`, "hello\n", closeInput)
	assert.Equal(t, []string{"got hello\n", "out program\n", "exit status 0"}, []string{written, printed, state})
}

// Signals reach the children of a process, and so does its end.
func TestProcessEndsWithItsChildren(t *testing.T) {
	const script = `sleep 3600 & read x`
	for name, end := range map[string]func(p *Process){
		"signal: killed":     (*Process).Kill,
		"signal: terminated": (*Process).Terminate,
		"exit status 1":      closeInput, // read has found no line
	} {
		t.Run(name, func(t *testing.T) {
			_, _, state := run(t, Command{}, script, "", end)
			assert.Equal(t, name, state)
		})
	}
}

func TestStartFails(t *testing.T) {
	l := NewLauncher(slog.New(slog.DiscardHandler))
	defer l.Close()
	_, err := l.Start(Command{Args: []string{"/nonexistent/program"}})
	require.ErrorIs(t, err, syscall.ENOENT)
	_, err = LookupUser("nobody knows him", "")
	require.ErrorContains(t, err, "Options.User")
	_, err = LookupUser("", "nobody knows it")
	require.ErrorContains(t, err, "Options.Group")
}
