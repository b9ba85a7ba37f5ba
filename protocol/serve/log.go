package serve

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Log writes a line about each request. It is safe for concurrent use.
type Log struct {
	Logger *slog.Logger
	// Identity says how a caller's identity is shown. Nil means not at all.
	Identity func(identity any) string
}

// Served logs a request that was answered with a success. Err is the error of writing the
// answer, or nil.
func (l *Log) Served(q *Request, status int, err error) {
	switch {
	case protocol.CodeOf(err) == protocol.CodeRequestAborted:
		l.Failed(q, slog.LevelDebug, err)
	case err != nil:
		l.record(q, slog.LevelWarn, "tunnel: answer not sent as it should be", "status", status, "error", logged(err))
	case l.Logger.Enabled(q.Head.Context(), slog.LevelDebug): // asked before anything is allocated
		l.record(q, slog.LevelDebug, "tunnel: request served", "status", status)
	}
}

// Failed logs a request that is refused or whose call failed, at a level such as LevelOf.
func (l *Log) Failed(q *Request, level slog.Level, err error) {
	if !l.Logger.Enabled(q.Head.Context(), level) {
		return
	}
	public := protocol.Public(err)
	outcome := []any{"status", public.Status(), "code", string(protocol.CodeOf(public)), "error", logged(err)}
	if level == slog.LevelWarn {
		outcome = append(outcome, "remote", q.Head.RemoteAddr) // an audit asks for the caller
	}
	l.record(q, level, "tunnel: request failed", outcome...)
}

// Cut logs a stream that ended before its source.
func (l *Log) Cut(q *Request, level slog.Level, err error) {
	l.record(q, level, "tunnel: stream cut short", "error", logged(err))
}

// Unsent logs why an error was not answered as it should be.
func (l *Log) Unsent(q *Request, err error) {
	l.Logger.Warn("tunnel: answer not sent as it should be", "requestId", q.Answer.Get(protocol.HeaderRequestID), "error", logged(err))
}

// Buffering logs the type of a ResponseWriter that cannot send a stream as it comes.
func (l *Log) Buffering(q *Request, writer string) {
	l.record(q, slog.LevelWarn, "tunnel: streams are held back by a ResponseWriter without Flush and Unwrap", "writer", writer)
}

// LevelOf returns the level for an error: what callers do wrong must not set off alarms.
func LevelOf(err error) slog.Level {
	public := protocol.Public(err)
	switch status := public.Status(); {
	case public.Code == protocol.CodeOverloaded, public.Code == protocol.CodeWorkerUnavailable:
		return slog.LevelDebug // there are many of these at a time, and the executor says once why
	case status >= 500:
		return slog.LevelError
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

func (l *Log) record(q *Request, level slog.Level, message string, outcome ...any) {
	call := &q.Call
	attrs := []any{"requestId", q.Answer.Get(protocol.HeaderRequestID)}
	if call.ID != "" {
		attrs = append(attrs, "kind", call.Kind.String(), "id", shorten(call.ID, maxName))
	} else {
		attrs = append(attrs, "method", shorten(q.Head.Method, maxName), "path", shorten(q.Head.URL.Path, maxName))
	}
	attrs = append(attrs, outcome...)
	if q.Endpoint == EndpointCall {
		if call.Worker != "" {
			attrs = append(attrs, "worker", call.Worker)
		}
		if l.Identity != nil && call.Identity != nil {
			attrs = append(attrs, "identity", shorten(textOf(func() string { return l.Identity(call.Identity) }), maxName))
		}
		attrs = append(attrs, "duration", time.Since(q.Begun))
	}
	l.Logger.Log(q.Head.Context(), level, message, attrs...)
}

const (
	maxName = 256     // bytes of an id, a path and other names in the log
	maxText = 8 << 10 // bytes of an error, with the stack of a panic
)

// shorten keeps a hostile path or id from flooding the log.
func shorten(text string, most int) string {
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// logged returns what the log shows of err: err itself, unless its text is too long.
func logged(err error) any {
	if text := textOf(err.Error); len(text) > maxText {
		return shorten(text, maxText)
	}
	return err
}

// textOf returns the text of fn, which may be a user's and panic.
func textOf(fn func() string) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprintf("!PANIC: %v", v)
		}
	}()
	return fn()
}
