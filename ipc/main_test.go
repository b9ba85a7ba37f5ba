package ipc

import (
	"net/http/httptest"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or in a child process that a test has started one of the
// misbehaving workers of faults_test.go.
func TestMain(m *testing.M) {
	if name := os.Getenv("IPC_TEST_WORKER"); name != "" {
		misbehave(name)
		return
	}
	goleak.VerifyTestMain(m)
}

func httptestRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }
