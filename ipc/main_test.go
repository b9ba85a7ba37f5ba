package ipc

import (
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or in a child process that a test has started one of the
// misbehaving workers of faults_test.go.
func TestMain(m *testing.M) {
	if name := os.Getenv("IPC_TEST_WORKER"); name != "" {
		switch {
		case strings.HasPrefix(name, "held: "):
			held(name)
		case strings.HasPrefix(name, "server: "):
			serveOrphans(strings.TrimPrefix(name, "server: "))
		case strings.HasPrefix(name, "framed: "):
			misbehaveFramed(name)
		default:
			misbehave(name)
		}
		return
	}
	// The race detector lets a program sleep for a second at its end: not the workers.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

func httptestRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

var discard = slog.New(slog.DiscardHandler)
