package ipc

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lockedLog is written by several goroutines.
type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestLogSaysWhichWorkerHadACall(t *testing.T) {
	for level, want := range map[slog.Level]int{slog.LevelDebug: 1, slog.LevelInfo: 0} {
		log := &lockedLog{}
		pool, answers := startHeld(t, "framed", func(o *Options) {
			o.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: level}))
		})
		call := task("held", `"b0dy"`)
		call.RequestID = "my-id"
		answers()
		_, err := pool.Execute(t.Context(), call)
		require.NoError(t, err)
		pid := pool.Stats().Workers[0].PID
		require.NoError(t, pool.Close())
		found := 0
		for line := range strings.Lines(log.String()) {
			fields := map[string]any{}
			require.NoError(t, json.Unmarshal([]byte(line), &fields))
			if fields["requestId"] == "my-id" {
				found++
				assert.EqualValues(t, 0, fields["worker"])
				assert.EqualValues(t, pid, fields["pid"])
			}
		}
		assert.Equal(t, want, found)
		assert.NotContains(t, log.String(), "b0dy")
	}
}
