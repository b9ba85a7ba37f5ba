package main

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/bluelibs/go-tunnel/ipc"
)

// settleTime is how long files must have been left alone before the workers are
// replaced: a save is many changes.
const settleTime = 100 * time.Millisecond

// reloader replaces a pool's workers on SIGHUP, and when source files have changed.
type reloader struct {
	pool    *ipc.Pool
	hangups chan os.Signal
	stop    func()            // gives up the reload under way, and returns when it is over
	watcher *fsnotify.Watcher // nil if nothing is watched
	changes chan fsnotify.Event
	faults  chan error
}

// newReloader watches a folder and those in it. Empty means none.
func newReloader(pool *ipc.Pool, folder string) (*reloader, error) {
	r := &reloader{pool: pool, hangups: make(chan os.Signal, 1), stop: func() {}}
	if folder != "" {
		watcher, err := fsnotify.NewWatcher()
		if err != nil {
			return nil, err
		}
		r.watcher, r.changes, r.faults = watcher, watcher.Events, watcher.Errors
		if err := r.watch(folder); err != nil {
			_ = watcher.Close()
			return nil, err
		}
	}
	signal.Notify(r.hangups, syscall.SIGHUP)
	return r, nil
}

// watch adds a folder and those in it, but not those of packages or hidden ones.
func (r *reloader) watch(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.IsDir():
			return nil
		case path != folder && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		}
		return r.watcher.Add(path)
	})
}

// run reloads until ctx is done.
func (r *reloader) run(ctx context.Context) {
	defer r.close()
	changed := map[string]bool{}
	settled := time.NewTimer(0)
	settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.hangups:
			r.reload(ctx, "SIGHUP")
		case event := <-r.changes:
			if event.Has(fsnotify.Create) {
				if info, err := os.Stat(event.Name); err == nil && info.IsDir() {
					_ = r.watch(event.Name)
				}
			}
			if isSource(event) {
				changed[event.Name] = true
				settled.Reset(settleTime)
			}
		case err := <-r.faults:
			slog.Warn("changes may be missed", "error", err)
		case <-settled.C:
			names := make([]string, 0, len(changed))
			for name := range changed {
				names = append(names, name)
			}
			clear(changed)
			slices.Sort(names)
			r.reload(ctx, "changed: "+strings.Join(names, ", "))
		}
	}
}

// isSource leaves out what workers may write while they run.
func isSource(event fsnotify.Event) bool {
	extensions := []string{".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".json"}
	return event.Op != fsnotify.Chmod && slices.Contains(extensions, filepath.Ext(event.Name))
}

// reload begins to replace the workers. One that is under way is given up: it may hang on
// what has been mended since.
func (r *reloader) reload(ctx context.Context, why string) {
	r.stop()
	slog.Info("reloading", "why", why)
	ctx, cancel := context.WithCancel(ctx)
	var restarting sync.WaitGroup
	restarting.Go(func() {
		begin := time.Now()
		err := r.pool.Restart(ctx)
		switch {
		case err == nil:
			slog.Info("reloaded", "after", time.Since(begin))
		case ctx.Err() != nil: // by stop
			slog.Info("reload given up", "after", time.Since(begin))
		default:
			slog.Error("not reloaded, the old workers go on", "error", err)
		}
	})
	r.stop = func() {
		cancel()
		restarting.Wait()
	}
}

func (r *reloader) close() {
	r.stop()
	signal.Stop(r.hangups)
	if r.watcher != nil {
		_ = r.watcher.Close()
	}
}
