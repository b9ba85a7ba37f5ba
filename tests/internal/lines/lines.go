// Package lines waits for what a program prints or a logger writes.
package lines

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/bluelibs/go-tunnel/tests/internal/runner"
)

// Lines are the lines that were written and that nobody has waited for yet.
type Lines chan string

// New returns no lines, and room for some that nobody waits for.
func New() Lines { return make(Lines, 100) }

// Write takes what a logger writes at once for a line.
func (l Lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// Logger returns a logger whose lines they are.
func (l Lines) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// Await waits for a line with this text, and drops those before it.
func (l Lines) Await(t testing.TB, text string) {
	t.Helper()
	late := time.After(runner.StartBound)
	for {
		select {
		case got := <-l:
			if strings.Contains(got, text) {
				return
			}
		case <-late:
			t.Fatalf("nobody has said %q", text)
		}
	}
}

// All returns all lines that were written by now, and drops them.
func (l Lines) All() string {
	var all strings.Builder
	for {
		select {
		case line := <-l:
			all.WriteString(line)
		default:
			return all.String()
		}
	}
}
