// Package tunnel serves the Runner Tunnel HTTP Protocol v1.0 from Go. Its [Handler]
// is an ordinary http.Handler: it does routing, CORS, authentication, the
// allow-list, limits and JSON, and hands each call to an [Executor]. Package ipc has
// an executor that drives Node.js workers, package standalone one that runs Go
// functions.
//
//	registry := standalone.NewRegistry()
//	standalone.Task(registry, "app.tasks.add", add)
//	http.Handle("/__runner/", tunnel.New(registry, tunnel.Config{Tokens: []string{"secret"}}))
//
// A Handler is mounted like any other: on a mux, under another base path, below
// http.StripPrefix, behind middleware, over HTTP/1.1 and HTTP/2. It never redirects,
// other than http.ServeMux does for paths with "//" or dot segments. Middleware that
// wraps the http.ResponseWriter must have an Unwrap method (see http.ResponseController):
// without it streams are held back, deadlines cannot be set, and an answer that is cut
// half-way can only panic with http.ErrAbortHandler, which others may swallow.
// It starts no goroutines and keeps nothing between requests but its configuration,
// so there is nothing to shut down; executors may differ.
package tunnel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/julienschmidt/httprouter"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Config says what a Handler serves, and to whom. Its zero value is valid and lets
// nobody in. New copies it; do not change what it refers to afterwards.
type Config struct {
	// BasePath is the path below which the protocol lives. A missing leading slash is
	// added, a trailing one taken off; "/" is the root. Empty means
	// protocol.DefaultBasePath, "/__runner".
	BasePath string

	// Tokens are the tokens of which a caller must present one. Empty strings in it
	// never let anybody in.
	Tokens []string
	// TokenHeader is the header that carries the token. In "Authorization" the token
	// may follow "Bearer ". Empty means protocol.HeaderToken, "x-runner-token".
	TokenHeader string
	// Authenticate, if not nil, decides about callers without a valid token. A nil error
	// lets the caller in, and the identity reaches the executor as Call.Identity. A
	// *protocol.Error is answered as it is, but for CodeAuthNotConfigured, which means
	// that there is nothing to ask, as if Authenticate were nil. Any other error means
	// 401, and its text is logged only. It is called concurrently and must not read the
	// body; the request's x-runner-request-id is the final one. An ipc.Pool has one that
	// asks the worker.
	Authenticate func(r *http.Request) (identity any, err error)
	// AllowAnonymous lets everybody in if neither Tokens nor Authenticate is set.
	// Without it, having neither answers every call with 500 AUTH_NOT_CONFIGURED.
	AllowAnonymous bool

	// AllowList says what may be called. Nil means what the executor lists, if it is a
	// Lister, and otherwise nothing. It takes the place of that list, even where it is wider.
	// It has full ids: other names that the executor's list has for them are resolved first.
	AllowList *protocol.AllowList
	// DisableDiscovery answers 404 at the discovery path.
	DisableDiscovery bool
	// Schemas, if not nil, adds the JSON Schemas of the ids on the allow-list to discovery,
	// as one more member that Runner clients ignore. It is called concurrently. schema.Join
	// makes one of several.
	Schemas func() protocol.Schemas
	// CORS sets the cross-origin headers. Nil means its zero value: every origin may
	// read answers, none may send credentials.
	CORS *protocol.CORS
	// Limits bounds request bodies. Its zero value has the protocol's own limits.
	Limits protocol.Limits

	// Middleware wraps the executor, the first one outermost.
	Middleware []Middleware
	// NumericErrorCodes writes errors in the older form of the 4.x policy: the HTTP
	// status as code, and the code as codeName. Released Runner clients need it off.
	NumericErrorCodes bool
	// Logger gets a line about each request but preflights: 5xx at Error, streams that are
	// cut, 401 and 403 at Warn, the rest at Debug. So are callers who leave, whenever they
	// do, broken bodies and forms whatever their status, OVERLOADED and WORKER_UNAVAILABLE.
	// Tokens and bodies are never logged, and no attribute is longer than 8 KiB. Nil means
	// slog.Default().
	Logger *slog.Logger
	// LogIdentity says how the identity of a caller, which Authenticate has returned, is
	// shown in the lines about its calls. It is called concurrently. Nil means not at all.
	LogIdentity func(identity any) string
}

// Handler serves the protocol. Make one with New. It is safe for concurrent use.
type Handler struct {
	base         protocol.BasePath
	routes       *httprouter.Router
	tokens       protocol.Tokens
	authenticate func(*http.Request) (any, error)
	anonymous    bool
	allowList    func() *protocol.AllowList
	names        func() *protocol.AllowList // knows other names of ids, nil if nothing does
	gate         Gate                       // nil if the executor is none
	schemas      func() protocol.Schemas
	cors         *protocol.CORS
	limits       protocol.Limits
	unread       *protocol.Unread
	exec         Executor
	wrapped      bool // by Middleware
	numericCodes bool
	log          *slog.Logger
	logIdentity  func(any) string
	warned       atomic.Bool // of a ResponseWriter that holds streams back
	bodies       sync.Pool   // of *[]byte
}

// New returns a Handler that runs calls on exec. It panics if exec is nil.
func New(exec Executor, cfg Config) *Handler {
	if exec == nil {
		panic("tunnel: New needs an executor")
	}
	h := &Handler{
		base:         protocol.ParseBasePath(cfg.BasePath),
		routes:       httprouter.New(),
		tokens:       protocol.NewTokens(cfg.TokenHeader, cfg.Tokens),
		authenticate: cfg.Authenticate,
		anonymous:    cfg.AllowAnonymous,
		allowList:    func() *protocol.AllowList { return cfg.AllowList },
		schemas:      cfg.Schemas,
		cors:         cfg.CORS,
		limits:       cfg.Limits.WithDefaults(),
		unread:       protocol.NewUnread(cfg.Limits),
		exec:         settled{finishing{exec}},
		numericCodes: cfg.NumericErrorCodes,
		log:          cfg.Logger,
		logIdentity:  cfg.LogIdentity,
		bodies:       sync.Pool{New: func() any { return new([]byte) }},
	}
	if lister, ok := exec.(Lister); ok {
		h.names = lister.List
		if cfg.AllowList == nil {
			h.allowList = lister.List
		}
	}
	h.gate, _ = exec.(Gate)
	for i := len(cfg.Middleware) - 1; i >= 0; i-- {
		h.exec = settled{cfg.Middleware[i](h.exec)}
		h.wrapped = true
	}
	if h.cors == nil {
		h.cors = &protocol.CORS{}
	}
	if h.log == nil {
		h.log = slog.Default()
	}
	h.routes.POST("/task/*id", h.call(protocol.KindTask))
	h.routes.POST("/event/*id", h.call(protocol.KindEvent))
	if !cfg.DisableDiscovery {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			h.routes.Handle(method, "/discovery", h.discovery)
			h.routes.Handle(method, "/discovery/*ignored", h.discovery)
		}
	}
	return h
}

// ServeHTTP answers one request. The order of its steps is the protocol's: base
// path, preflight, request id, route, method; the endpoints go on from there.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.recover(w, r, nil)
	header := w.Header()
	protocol.SetSecurityHeaders(header)
	h.cors.SetHeaders(header, r.Header)

	path, below := h.base.Cut(r.URL)
	if !below {
		h.cors.SetExposed(header)
		h.refuseUnread(w, r, nil, &protocol.Error{Code: protocol.CodeNotFound, Err: fmt.Errorf("the path is not below %s", h.base)})
		return
	}
	header[protocol.HeaderRequestID] = []string{protocol.RequestID(r.Header)}
	if r.Method == http.MethodOptions {
		h.cors.SetPreflight(header, r.Header)
		h.unread.Before(w, r, false)
		w.WriteHeader(http.StatusNoContent)
		h.unread.After(w, r, false, nil)
		return
	}
	h.cors.SetExposed(header)

	// Only the router's tree is used: its ServeHTTP would redirect.
	handle, params, _ := h.routes.Lookup(r.Method, path)
	if handle == nil {
		h.refuseUnread(w, r, nil, h.unrouted(header, path))
		return
	}
	handle(w, r, params)
}

// unrouted tells a method that a path does not take from a path that does not exist.
func (h *Handler) unrouted(header http.Header, path string) error {
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		handle, params, _ := h.routes.Lookup(method, path)
		if handle == nil {
			continue
		}
		if id := params.ByName("id"); id != "" {
			if _, ok := protocol.UnescapeID(id[1:]); !ok {
				continue
			}
		}
		allow = append(allow, method)
	}
	if allow == nil {
		return &protocol.Error{Code: protocol.CodeNotFound}
	}
	header.Set("Allow", strings.Join(append(allow, http.MethodOptions), ", "))
	return &protocol.Error{Code: protocol.CodeMethodNotAllowed}
}

func (h *Handler) discovery(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
	h.unread.Before(w, r, false)
	h.discover(w, r)
	h.unread.After(w, r, false, nil)
}

func (h *Handler) discover(w http.ResponseWriter, r *http.Request) {
	if _, err := h.admit(r, requestID(w)); err != nil {
		h.refuse(w, r, nil, err)
		return
	}
	doc, err := h.describe()
	if err != nil {
		h.refuse(w, r, nil, err)
		return
	}
	h.served(w, r, nil, http.StatusOK, protocol.WriteResult(w, doc))
}

func (h *Handler) describe() ([]byte, error) {
	if h.schemas == nil {
		return h.allowList().Discovery(), nil
	}
	return h.allowList().Describe(h.schemas())
}

// call returns the endpoint of tasks or of events. It goes on from ServeHTTP: id,
// authentication, allow-list, the executor's gate, body, execution, answer.
func (h *Handler) call(kind protocol.Kind) httprouter.Handle {
	return func(w http.ResponseWriter, r *http.Request, params httprouter.Params) {
		call := &request{begun: time.Now(), Call: protocol.Call{
			Kind:       kind,
			RequestID:  requestID(w),
			Header:     r.Header,
			Host:       r.Host,
			Method:     r.Method,
			Target:     r.RequestURI,
			RemoteAddr: r.RemoteAddr,
			BasePath:   string(h.base),
		}}
		defer h.recover(w, r, call)
		err := h.let(r, call, params[0].Value[1:])
		switch {
		case err != nil:
			h.refuseUnread(w, r, call, err)
		case kind == protocol.KindEvent || protocol.BodyModeOf(r.Header) == protocol.BodyJSON:
			h.json(w, r, call)
		default:
			h.bytes(w, r, call)
		}
	}
}

// let does all that comes before the body.
func (h *Handler) let(r *http.Request, call *request, escapedID string) error {
	id, ok := protocol.UnescapeID(escapedID)
	if !ok {
		return &protocol.Error{Code: protocol.CodeNotFound}
	}
	if h.names != nil {
		id = h.names().Resolve(call.Kind, id)
	}
	call.ID = id
	var err error
	if call.Identity, err = h.admit(r, call.RequestID); err != nil {
		return err
	}
	if err := h.permit(call.Kind, id); err != nil || h.gate == nil {
		return err
	}
	return h.gate.Admit(&call.Call)
}

// json goes on with a call whose body is JSON.
func (h *Handler) json(w http.ResponseWriter, r *http.Request, call *request) {
	buf := h.bodies.Get().(*[]byte)
	defer h.recycle(buf) // after the answer: a reply may alias the payload
	call.reading = r.ContentLength <= h.limits.MaxBody
	body, err := protocol.ReadBody(*buf, r, h.limits.MaxBody)
	if err != nil {
		h.refuseUnread(w, r, call, err)
		return
	}
	*buf = body
	if call.Payload, call.ReturnPayload, err = protocol.ParsePayload(call.Kind, body); err != nil {
		h.refuse(w, r, call, err)
		return
	}
	if h.gate != nil {
		if err := h.gate.Confirm(&call.Call); err != nil {
			h.refuse(w, r, call, err)
			return
		}
	}
	h.run(r.Context(), w, r, call)
}

// bytes goes on with a call whose body is read while the task runs.
func (h *Handler) bytes(w http.ResponseWriter, r *http.Request, call *request) {
	multipart, limit := protocol.BodyModeOf(r.Header) == protocol.BodyMultipart, h.limits.MaxStream
	if multipart {
		limit = 0 // it has limits of its own
		if r.Header.Get("Content-Encoding") != "" {
			limit = h.limits.MaxForm()
		}
	}
	body, err := protocol.OpenBody(w, r, limit)
	if err != nil {
		h.refuseUnread(w, r, call, err)
		return
	}
	h.open(w, r, call, body, multipart)
	if !body.Ended() && !call.cut {
		h.unread.After(w, r, body.Begun(), body.Err())
	}
}

// open goes on with a body that was opened, and releases it.
func (h *Handler) open(w http.ResponseWriter, r *http.Request, call *request, body *protocol.Body, multipart bool) {
	defer body.Release()
	if !multipart {
		call.Body = body
		h.run(body.Context(), w, r, call)
		return
	}
	call.Form = protocol.NewForm(body, r.Header.Get("Content-Type"), h.limits)
	defer call.Form.Close()
	var err error
	if call.Payload, err = call.Form.Manifest(); err != nil {
		if body.Err() == nil { // but the time may be over
			err = outcome(body.Context(), err)
		}
		h.refuse(w, r, call, err)
		return
	}
	h.run(body.Context(), w, r, call)
}

// run executes a call and answers.
func (h *Handler) run(ctx context.Context, w http.ResponseWriter, r *http.Request, call *request) {
	if h.wrapped {
		ctx = context.WithValue(ctx, requestKey{}, ctx)
	}
	reply, err := h.exec.Execute(ctx, &call.Call)
	switch {
	case err != nil:
	case reply.Stream != nil:
		err = h.stream(w, r, call, reply)
	default:
		call.answered = true
		h.served(w, r, call, http.StatusOK, writeValue(w, &call.Call, reply))
	}
	switch {
	case err == nil:
	case asksToAbort(err):
		h.abort(w, r, call)
	default: // nothing was sent
		h.refuse(w, r, call, err)
	}
}

// writeValue answers with the value of a reply, or that there is none.
func writeValue(w http.ResponseWriter, call *protocol.Call, reply *protocol.Reply) error {
	void := reply.Void && reply.Value == nil
	if !void && (call.Kind == protocol.KindTask || call.ReturnPayload) {
		return protocol.WriteResult(w, reply.Value)
	}
	return protocol.WriteOK(w)
}

// admit authenticates the caller.
func (h *Handler) admit(r *http.Request, requestID string) (identity any, err error) {
	if h.tokens.Match(r.Header) {
		return nil, nil
	}
	if h.authenticate != nil {
		identity, err = h.authenticate(withRequestID(r, requestID))
		if err == nil {
			return identity, nil
		}
		var public *protocol.Error
		if !errors.As(err, &public) {
			return nil, &protocol.Error{Code: protocol.CodeUnauthorized, Err: err}
		}
		if public.Code != protocol.CodeAuthNotConfigured {
			return nil, err
		}
	}
	if !h.tokens.Empty() {
		return nil, &protocol.Error{Code: protocol.CodeUnauthorized}
	}
	if !h.anonymous {
		return nil, &protocol.Error{Code: protocol.CodeAuthNotConfigured}
	}
	return nil, nil
}

// withRequestID returns r with the request id that logs and the executor see.
func withRequestID(r *http.Request, id string) *http.Request {
	if protocol.CombinedHeader(r.Header, protocol.HeaderRequestID) == id {
		return r
	}
	changed := *r
	changed.Header = r.Header.Clone()
	changed.Header.Set(protocol.HeaderRequestID, id)
	return &changed
}

// permit checks the allow-list.
func (h *Handler) permit(kind protocol.Kind, id string) error {
	list := h.allowList()
	if list == nil {
		return &protocol.Error{Code: protocol.CodeForbidden, Message: "Exposure not enabled"}
	}
	if !list.Allows(kind, id) {
		return protocol.NotExposed(kind, id)
	}
	return nil
}

// stream sends a streamed reply. An error means that nothing was sent.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request, call *request, reply *protocol.Reply) error {
	h.warnOfHolding(w, r, call)
	release := protocol.HoldEnd(w, r)
	err := writeStream(w, reply)
	call.answered = err == nil || errors.Is(err, protocol.ErrStreamCut)
	switch {
	case err != nil && call.answered:
		h.cut(w, r, call, err)
		return nil
	case err == nil:
		h.served(w, r, call, cmp.Or(reply.Status, http.StatusOK), nil)
	}
	release(err == nil)
	return err
}

func writeStream(w http.ResponseWriter, reply *protocol.Reply) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.Join(protocol.ErrStreamCut, panicked(v))
		}
	}()
	return protocol.WriteStream(w, reply)
}

// cut ends an answer half-way, so that a body that was cut short never looks complete.
func (h *Handler) cut(w http.ResponseWriter, r *http.Request, call *request, err error) {
	defer h.abort(w, r, call) // whatever the log does
	switch public := protocol.Public(err); {
	case asksToAbort(err): // who panics so wants silence
	case public.Code == protocol.CodeRequestAborted:
		h.failed(w, r, call, public, err)
	case isPanic(err):
		h.record(w, r, call, slog.LevelError, "tunnel: stream cut short", "error", logged(err))
	default:
		h.record(w, r, call, slog.LevelWarn, "tunnel: stream cut short", "error", logged(err))
	}
}

// abort ends the connection of an answer, or with HTTP/2 its stream.
func (h *Handler) abort(w http.ResponseWriter, r *http.Request, call *request) {
	begun := call != nil && call.answered
	if call != nil {
		call.cut = true
	}
	if !protocol.Abort(w, r, begun) {
		panic(http.ErrAbortHandler)
	}
}

// warnOfHolding tells once of a ResponseWriter that cannot send a stream as it comes.
func (h *Handler) warnOfHolding(w http.ResponseWriter, r *http.Request, call *request) {
	if name := protocol.Holds(w); name != "" && h.warned.CompareAndSwap(false, true) {
		h.record(w, r, call, slog.LevelWarn, "tunnel: streams are held back by a ResponseWriter without Flush and Unwrap", "writer", name)
	}
}

// maxRecycled is the largest body buffer that is kept for another request.
const maxRecycled = 64 << 10

func (h *Handler) recycle(buf *[]byte) {
	if cap(*buf) <= maxRecycled {
		h.bodies.Put(buf)
	}
}

// refuseUnread refuses a request whose body was not read to its end.
func (h *Handler) refuseUnread(w http.ResponseWriter, r *http.Request, call *request, err error) {
	begun := call != nil && call.reading
	h.unread.Before(w, r, begun)
	h.refuse(w, r, call, err)
	h.unread.After(w, r, begun, err)
}

// refuse is where every request ends that was not answered with a success. Call is nil
// for one that is no call.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, call *request, err error) {
	public := protocol.Public(err)
	h.failed(w, r, call, public, err)
	if err := protocol.WriteError(w, public, h.numericCodes); err != nil && protocol.CodeOf(err) != protocol.CodeRequestAborted {
		h.log.Warn("tunnel: answer not sent as it should be", "requestId", requestID(w), "error", logged(err))
	}
}

// recover turns a panic of Authenticate, or of anything else below ServeHTTP, into an
// internal error. Nothing was sent by then: executors and streaming, which alone sends
// piece by piece, have a recover of their own.
func (h *Handler) recover(w http.ResponseWriter, r *http.Request, call *request) {
	switch v := recover(); {
	case v == nil:
	case v == http.ErrAbortHandler, call != nil && call.answered: // by abort itself, or by the log
		h.abort(w, r, call)
	default:
		h.refuseUnread(w, r, call, panicked(v))
	}
}

// request is a call on its way.
type request struct {
	protocol.Call
	begun    time.Time
	reading  bool // the body of a call that is JSON was read from
	answered bool // an answer was begun
	cut      bool // and cut
}

// served logs a request that was answered with a success. Err is what became of
// writing the answer.
func (h *Handler) served(w http.ResponseWriter, r *http.Request, call *request, status int, err error) {
	switch {
	case protocol.CodeOf(err) == protocol.CodeRequestAborted:
		h.failed(w, r, call, protocol.Public(err), err)
	case err != nil:
		h.record(w, r, call, slog.LevelWarn, "tunnel: answer not sent as it should be", "status", status, "error", logged(err))
	case h.log.Enabled(r.Context(), slog.LevelDebug): // asked before anything is allocated
		h.record(w, r, call, slog.LevelDebug, "tunnel: request served", "status", status)
	}
}

// failed logs a request that is refused or whose call failed.
func (h *Handler) failed(w http.ResponseWriter, r *http.Request, call *request, public *protocol.Error, err error) {
	status, level := public.Status(), levelOf(public)
	switch {
	case isPanic(err): // whether the caller waits for the outcome or not
		level = slog.LevelError
	case call != nil && err == broken(&call.Call):
		level = slog.LevelDebug // what callers send must not trip alarms
	}
	if h.log.Enabled(r.Context(), level) {
		outcome := []any{"status", status, "code", string(protocol.CodeOf(public)), "error", logged(err)}
		if level == slog.LevelWarn {
			outcome = append(outcome, "remote", r.RemoteAddr) // whom an audit asks for
		}
		h.record(w, r, call, level, "tunnel: request failed", outcome...)
	}
}

func levelOf(public *protocol.Error) slog.Level {
	switch status := public.Status(); {
	case public.Code == protocol.CodeOverloaded, public.Code == protocol.CodeWorkerUnavailable:
		return slog.LevelDebug // who has no room for calls refuses many: it is for the executor to say so, once
	case status >= 500:
		return slog.LevelError
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// record writes a line about a request. Call is nil for one that is none.
func (h *Handler) record(w http.ResponseWriter, r *http.Request, call *request, level slog.Level, message string, outcome ...any) {
	attrs := []any{"requestId", requestID(w)}
	if call != nil && call.ID != "" {
		attrs = append(attrs, "kind", call.Kind.String(), "id", shorten(call.ID, maxName))
	} else {
		attrs = append(attrs, "method", shorten(r.Method, maxName), "path", shorten(r.URL.Path, maxName))
	}
	attrs = append(attrs, outcome...)
	if call != nil {
		if call.Worker != "" {
			attrs = append(attrs, "worker", call.Worker)
		}
		if h.logIdentity != nil && call.Identity != nil {
			attrs = append(attrs, "identity", shorten(guarded(func() string { return h.logIdentity(call.Identity) }), maxName))
		}
		attrs = append(attrs, "duration", time.Since(call.begun))
	}
	h.log.Log(r.Context(), level, message, attrs...)
}

func requestID(w http.ResponseWriter) string {
	return w.Header().Get(protocol.HeaderRequestID)
}

const (
	maxName = 256     // bytes of an id, a path and other names in the log
	maxText = 8 << 10 // of an error, with the stack of a panic
)

// shorten keeps a hostile path or id from flooding the log.
func shorten(text string, most int) string {
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// logged returns what the log shows of err: itself, unless its text is too long.
func logged(err error) any {
	if text := guarded(err.Error); len(text) > maxText {
		return shorten(text, maxText)
	}
	return err
}

// guarded returns the text of fn, which may be somebody's who did not expect all values.
func guarded(fn func() string) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprintf("!PANIC: %v", v)
		}
	}()
	return fn()
}
