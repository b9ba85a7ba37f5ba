package ipc

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
)

// Nothing here waits for the log, see logs.

// logReady logs that a worker can have calls: who has read of the end of a worker waits for
// that.
func (p *Pool) logReady(w *worker, hello *wire.Hello, after time.Duration) {
	attrs := []any{"after", after}
	if hello != nil {
		attrs = append(attrs, "runtime", hello.Runtime)
	}
	w.log.Info("ipc: worker ready", attrs...)
	if hello != nil && len(hello.Tasks)+len(hello.Events) == 0 {
		w.log.Warn("ipc: the worker exposes nothing: nothing is callable without tunnel.Config.AllowList: protocol.NewAllowList(tasks, events) (or a tunnel of mode server or a served lane in a Runner application)")
	}
}

// logExit logs the end of a worker: as an error if nobody wanted it.
func (p *Pool) logExit(w *worker, slot int, reason ExitReason, err error, lifetime time.Duration) {
	attrs := []any{"reason", reason, "lifetime", lifetime}
	level := slog.LevelInfo
	if reason == ExitStop {
		level = slog.LevelDebug
	}
	switch reason {
	case ExitCrash, ExitStart, ExitPing, ExitTimeout:
		level = slog.LevelError
		attrs = append(attrs, "error", err)
		if w != nil {
			attrs = append(attrs, "stderr", w.output.Tail())
		}
	default:
		if errors.Is(err, errStopTimeout) {
			level = slog.LevelWarn
			attrs = append(attrs, "error", err)
		}
	}
	log := p.log.With("worker", slot)
	if w != nil {
		log = w.log
		w.flushOutput()
	}
	log.Log(context.Background(), level, "ipc: worker ended", attrs...)
}

// reportRefusals logs what was refused since the last time.
func (p *Pool) reportRefusals() {
	p.mu.Lock()
	n := p.sched.Unreported()
	p.mu.Unlock()
	p.log.Warn("ipc: calls refused", "queueFull", n.Full, "late", n.Late, "noWorker", n.Down, "closed", n.Closed)
}
