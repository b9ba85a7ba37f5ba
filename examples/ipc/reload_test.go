package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A version that never gets ready does not keep the one that mends it waiting.
func TestReloadOfAVersionThatHangs(t *testing.T) {
	dir := t.TempDir()
	module, began := filepath.Join(dir, "tasks.mjs"), filepath.Join(dir, "began")
	save := func(source string) { require.NoError(t, os.WriteFile(module, []byte(source), 0o600)) }
	save("export const tasks = { version: () => 1 };")
	opts := ipc.Node(module)
	opts.StartTimeout = time.Hour
	pool, err := ipc.Start(t.Context(), opts)
	require.NoError(t, err)
	defer pool.Close()
	reloads, err := newReloader(pool, module)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { reloads.run(ctx) })
	defer running.Wait()
	defer cancel()

	save(fmt.Sprintf(`import { writeFileSync } from "node:fs"; writeFileSync(%q, ""); await new Promise(() => setInterval(() => {}, 1000));`, began))
	require.Eventually(t, func() bool { _, err := os.Stat(began); return err == nil }, time.Minute, 5*time.Millisecond)
	save("export const tasks = { version: () => 2 };")
	require.Eventually(t, func() bool {
		reply, err := pool.Execute(t.Context(), &protocol.Call{ID: "version"})
		return err == nil && string(reply.Value) == "2"
	}, time.Minute, 5*time.Millisecond)
}

// What workers write beside their sources is no reason to look again.
func TestConcerns(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"r1/dist/lib", "r1/dist/node_modules/p", "r1/dist/.cache", "r1/data"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, name), 0o700))
	}
	for _, name := range []string{"r1/dist/app.mjs", "r1/dist/lib/a.ts", "r1/dist/node_modules/p/index.js", "r1/dist/log.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), nil, 0o600))
	}
	require.NoError(t, os.Symlink("r1", filepath.Join(root, "current")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(root, "broken")))
	v, err := look(filepath.Join(root, "current", "dist", "app.mjs"))
	require.NoError(t, err)
	defer v.close()
	require.NoError(t, v.blind)
	real, err := filepath.EvalSymlinks(root)
	require.NoError(t, err)
	for name, want := range map[string]bool{
		"current":                         true,
		"other":                           false,
		"r1":                              true,
		"r1/data":                         false,
		"r1/dist":                         true,
		"r1/dist/app.mjs":                 true,
		"r1/dist/new.json":                true,
		"r1/dist/log.txt":                 false,
		"r1/dist/lib":                     true,
		"r1/dist/lib/a.ts":                true,
		"r1/dist/node_modules/p/index.js": false,
		"r1/dist/.cache/x.js":             false,
	} {
		assert.Equal(t, want, v.concerns(fsnotify.Event{Name: filepath.Join(real, name), Op: fsnotify.Write}), name)
		assert.False(t, v.concerns(fsnotify.Event{Name: filepath.Join(real, name), Op: fsnotify.Chmod}), name)
	}
	require.NoError(t, os.Mkdir(filepath.Join(root, "r1/dist/fresh"), 0o700))
	assert.True(t, v.concerns(fsnotify.Event{Name: filepath.Join(real, "r1/dist/fresh"), Op: fsnotify.Create}))

	for _, name := range []string{"broken/app.mjs", "gone/app.mjs", "current/dist/gone.mjs"} {
		v, err := look(filepath.Join(root, name))
		require.NoError(t, err)
		assert.True(t, v.missing, name)
		require.NoError(t, v.close())
	}
	loop := filepath.Join(root, "loop")
	require.NoError(t, os.Symlink("loop", loop))
	v, err = look(filepath.Join(loop, "app.mjs"))
	require.NoError(t, err)
	assert.True(t, v.missing)
	require.NoError(t, v.close())
}
