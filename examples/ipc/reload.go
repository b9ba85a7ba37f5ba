package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/bluelibs/go-tunnel/ipc"
)

// settleTime is how long files must have been left alone before the workers are
// replaced: a save is many changes, and a build writes for a while.
const settleTime = 300 * time.Millisecond

// reloader replaces a pool's workers on SIGHUP, and when source files have changed.
type reloader struct {
	pool    *ipc.Pool
	hangups chan os.Signal
	module  string
	view    *view // nil if nothing is watched

	restart sync.WaitGroup     // the one that is under way
	cancel  context.CancelFunc // ends it
}

// newReloader watches a module's folder, those in it, and those above it for another one
// in its place. Empty means none.
func newReloader(pool *ipc.Pool, module string) (*reloader, error) {
	r := &reloader{pool: pool, hangups: make(chan os.Signal, 1), module: module, cancel: func() {}}
	if module != "" {
		var err error
		if r.view, err = look(module); err != nil {
			return nil, err
		}
		r.warn()
	}
	signal.Notify(r.hangups, syscall.SIGHUP)
	return r, nil
}

// run reloads until ctx is done.
func (r *reloader) run(ctx context.Context) {
	defer r.close()
	settled := time.NewTimer(0)
	settled.Stop()
	for {
		var changes <-chan fsnotify.Event
		var faults <-chan error
		if r.view != nil {
			changes, faults = r.view.watcher.Events, r.view.watcher.Errors
		}
		select {
		case <-ctx.Done():
			return
		case <-r.hangups:
			r.reload(ctx, "SIGHUP")
		case event := <-changes:
			if r.view.concerns(event) {
				settled.Reset(settleTime)
			}
		case err := <-faults: // as a rule that there were too many changes to tell them all
			slog.Warn("looking for changes", "error", err)
			settled.Reset(settleTime)
		case <-settled.C:
			if err := r.lookAgain(ctx); err != nil {
				slog.Warn("looking for changes", "error", err)
				settled.Reset(time.Second)
			}
		}
	}
}

// lookAgain reloads if sources are not what they were.
func (r *reloader) lookAgain(ctx context.Context) error {
	now, err := look(r.module)
	if err != nil {
		return err
	}
	before := r.view
	_ = before.close()
	r.view = now
	if now.missing {
		now.sources = before.sources // what a build makes is compared with these
		slog.Warn("the workers stay as they are until there is a module again", "file", r.module)
		return nil
	}
	r.warn()
	if changed := now.changed(before); len(changed) > 0 {
		const most = 5
		why := strings.Join(changed[:min(len(changed), most)], ", ")
		if len(changed) > most {
			why += " and others"
		}
		r.reload(ctx, "changed: "+why)
	}
	return nil
}

func (r *reloader) warn() {
	if r.view.blind != nil {
		slog.Warn("changes may be missed", "error", r.view.blind)
	}
}

// reload begins to replace the workers. One that is under way is given up: it may be that
// of a version which never gets ready.
func (r *reloader) reload(ctx context.Context, why string) {
	r.cancel()
	r.restart.Wait()
	ctx, r.cancel = context.WithCancel(ctx)
	r.restart.Go(func() {
		slog.Info("reloading", "why", why)
		begin := time.Now()
		switch err := r.pool.Restart(ctx); {
		case err == nil:
			slog.Info("reloaded", "after", time.Since(begin))
		case ctx.Err() != nil:
			slog.Info("not reloaded: there is something newer")
		default:
			slog.Error("not reloaded, the old workers go on", "error", err)
		}
	})
}

func (r *reloader) close() {
	signal.Stop(r.hangups)
	r.cancel()
	r.restart.Wait()
	if r.view != nil {
		_ = r.view.close()
	}
}
