package tunnel

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// request is a call and when it came.
type request struct {
	protocol.Call
	begun time.Time
}

// served logs a request that was answered with a success. Err is what became of
// writing the answer.
func (h *Handler) served(w http.ResponseWriter, r *http.Request, call *request, status int, err error) {
	if err != nil && r.Context().Err() == nil {
		h.record(w, r, call, slog.LevelWarn, "tunnel: answer not sent as it should be", "status", status, "error", err)
		return
	}
	if h.log.Enabled(r.Context(), slog.LevelDebug) { // asked before anything is allocated
		h.record(w, r, call, slog.LevelDebug, "tunnel: request served", "status", status)
	}
}

// failed logs a request that is refused or whose call failed.
func (h *Handler) failed(w http.ResponseWriter, r *http.Request, call *request, public *protocol.Error, err error) {
	status, level := public.Status(), slog.LevelDebug
	switch {
	case public.Code == protocol.CodeOverloaded, public.Code == protocol.CodeWorkerUnavailable:
		// Who has no room for calls refuses many: it is for the executor to say so, once.
	case status >= 500:
		level = slog.LevelError
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		level = slog.LevelWarn
	}
	if h.log.Enabled(r.Context(), level) {
		code := public.Code
		if !code.Known() {
			code = protocol.CodeInternal
		}
		outcome := []any{"status", status, "code", string(code), "error", err}
		if level == slog.LevelWarn {
			outcome = append(outcome, "remote", r.RemoteAddr) // whom an audit asks for
		}
		h.record(w, r, call, level, "tunnel: request failed", outcome...)
	}
}

// record writes a line about a request. Call is nil for one that is none.
func (h *Handler) record(w http.ResponseWriter, r *http.Request, call *request, level slog.Level, message string, outcome ...any) {
	attrs := []any{"requestId", requestID(w)}
	if call != nil && call.ID != "" {
		attrs = append(attrs, "kind", call.Kind.String(), "id", shorten(call.ID))
	} else {
		attrs = append(attrs, "method", r.Method, "path", shorten(r.URL.Path))
	}
	attrs = append(attrs, outcome...)
	if call != nil {
		attrs = append(attrs, "duration", time.Since(call.begun))
	}
	h.log.Log(r.Context(), level, message, attrs...)
}

func requestID(w http.ResponseWriter) string {
	return w.Header().Get(protocol.HeaderRequestID)
}

// shorten keeps a hostile path or id from flooding the log.
func shorten(text string) string {
	const most = 256
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
