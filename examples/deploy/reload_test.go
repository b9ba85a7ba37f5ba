package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
)

// New tokens do not wait for workers that take their time to start.
func TestTokensDoNotWaitForARestart(t *testing.T) {
	dir := t.TempDir()
	app, hangs := filepath.Join(dir, "app.mjs"), filepath.Join(dir, "hangs")
	o := options{tokens: filepath.Join(dir, "tokens")}
	write := func(file, text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write(o.tokens, "first")
	write(app, "export const tasks = {};")
	opts := ipc.Node(app)
	opts.StartTimeout, opts.Logger = time.Hour, slog.New(slog.DiscardHandler)
	pool, err := ipc.Start(t.Context(), opts)
	require.NoError(t, err)
	defer pool.Close()
	var handler current
	require.NoError(t, handler.load(o, pool))

	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // for good: one that comes late would end the process
	ctx, cancel := context.WithCancel(t.Context())
	var reloads sync.WaitGroup
	reloads.Go(func() { handler.reload(ctx, o, pool) })
	defer reloads.Wait()
	defer cancel()

	write(app, fmt.Sprintf(`import { writeFileSync } from "node:fs"; writeFileSync(%q, ""); setInterval(() => {}, 1000); await new Promise(() => {});`, hangs))
	hangUpUntil := func(done func() bool) {
		require.Eventually(t, func() bool {
			require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
			return done()
		}, 30*time.Second, time.Second)
	}
	hangUpUntil(func() bool { _, err := os.Stat(hangs); return err == nil })
	before := handler.handler.Load()
	write(o.tokens, "second")
	hangUpUntil(func() bool { return handler.handler.Load() != before })
}
