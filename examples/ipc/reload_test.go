package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A save that hangs does not hold up the one that mends it.
func TestSaveThatMendsOneThatHangs(t *testing.T) {
	dir := t.TempDir()
	worker, hangs := filepath.Join(dir, "tasks.mjs"), filepath.Join(dir, "hangs")
	save := func(source string) {
		// By a rename, so that no half a file is read.
		require.NoError(t, os.WriteFile(worker+".new", []byte(source), 0o600))
		require.NoError(t, os.Rename(worker+".new", worker))
	}
	version := func(n int) string { return fmt.Sprintf("export const tasks = { version: () => %d };", n) }
	save(version(1))
	opts := ipc.Node(worker)
	opts.StartTimeout, opts.Logger = time.Hour, slog.New(slog.DiscardHandler)
	pool, err := ipc.Start(t.Context(), opts)
	require.NoError(t, err)
	defer pool.Close()
	reloads, err := newReloader(pool, dir)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { reloads.run(ctx) })
	defer running.Wait()
	defer cancel()

	save(fmt.Sprintf(`import { writeFileSync } from "node:fs"; writeFileSync(%q, ""); setInterval(() => {}, 1000); await new Promise(() => {});`, hangs))
	require.Eventually(t, func() bool { _, err := os.Stat(hangs); return err == nil }, 30*time.Second, 10*time.Millisecond)
	save(version(2))
	require.Eventually(t, func() bool {
		reply, err := pool.Execute(ctx, &protocol.Call{ID: "version"})
		return err == nil && string(reply.Value) == "2"
	}, 30*time.Second, 10*time.Millisecond)
}
