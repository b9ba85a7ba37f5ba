// Package tunnel serves the Runner Tunnel HTTP Protocol v1.0 from Go. Its [Handler]
// is an ordinary http.Handler: it does routing, CORS, authentication, the
// allow-list, limits and JSON, and hands each call to an [Executor]. The executor of
// package ipc drives Node.js workers, the executor of package standalone runs Go
// functions.
//
//	registry := standalone.NewRegistry()
//	standalone.Task(registry, "app.tasks.add", add)
//	http.Handle("/__runner/", tunnel.New(registry, tunnel.Config{Tokens: []string{"secret"}}))
//
// A Handler is mounted like any other: on a mux, under another base path, below
// http.StripPrefix, behind middleware, over HTTP/1.1 and HTTP/2. It never redirects, but
// http.ServeMux does for paths with "//" or dot segments. Middleware that wraps the
// http.ResponseWriter must have an Unwrap method (see http.ResponseController). Without it
// streams are held back, deadlines cannot be set, and the Handler can only cut an answer by
// a panic with http.ErrAbortHandler, from which other middleware may recover.
// A Handler starts no goroutines and keeps nothing between requests but its configuration,
// so there is nothing to shut down. Executors may differ, and so does [Handler.Listen], which
// answers plain calls in front of net/http, with less work.
package tunnel

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/http1"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// Config says what a Handler serves, and to whom. Its zero value is valid and refuses every
// caller. New copies it. Do not change what it refers to afterwards.
type Config struct {
	// BasePath is the path below which the protocol lives. A missing leading slash is
	// added, and a trailing slash is removed. "/" is the root. Empty means
	// protocol.DefaultBasePath, "/__runner".
	BasePath string

	// Tokens are the tokens of which a caller must present one. Empty strings count for
	// nothing.
	Tokens []string
	// TokenHeader is the header that carries the token. In "Authorization" the token
	// may follow "Bearer ". Empty means protocol.HeaderToken, "x-runner-token".
	TokenHeader string
	// Authenticate, if not nil, decides about callers without a valid token. A nil error
	// accepts the caller, and the identity reaches the executor as Call.Identity. A
	// *protocol.Error is answered as it is, except for CodeAuthNotConfigured, which counts
	// as if Authenticate were nil. Any other error means 401, and its text is logged only.
	// Authenticate is called concurrently and must not read the body. The request's
	// x-runner-request-id is the final one. ipc.Pool.Authenticate asks the worker.
	Authenticate func(r *http.Request) (identity any, err error)
	// AllowAnonymous accepts every caller if neither Tokens nor Authenticate is set.
	// Otherwise every call is answered with 500 AUTH_NOT_CONFIGURED then.
	AllowAnonymous bool

	// AllowList says what may be called. Nil means the executor's own list if it is a
	// Lister, and otherwise nothing. It replaces that list, even if it allows more. It
	// contains full ids: aliases of the executor's list are resolved first.
	AllowList *protocol.AllowList
	// DisableDiscovery answers 404 at the discovery path.
	DisableDiscovery bool
	// Schemas, if not nil, adds the JSON Schemas of the ids on the allow-list to discovery,
	// in a further member that Runner clients ignore. It is called concurrently. schema.Join
	// combines several sources.
	Schemas func() protocol.Schemas
	// CORS sets the cross-origin headers. Nil means its zero value: every origin may
	// read answers, none may send credentials.
	CORS *protocol.CORS
	// Limits bounds request bodies. Its zero value means the protocol's own limits.
	Limits protocol.Limits

	// Middleware wraps the executor, the first one outermost.
	Middleware []Middleware
	// NumericErrorCodes writes errors in the older form of the 4.x policy: the HTTP
	// status as code, and the code as codeName. Released Runner clients need it off.
	NumericErrorCodes bool
	// Logger gets a line about each request except preflights: 5xx at Error, streams that
	// are cut, 401 and 403 at Warn, everything else at Debug. Debug is also the level for
	// callers who leave, for malformed bodies and forms of any status, for OVERLOADED and for
	// WORKER_UNAVAILABLE. Tokens and bodies are never logged, and no attribute is longer than
	// 8 KiB. Nil means slog.Default().
	Logger *slog.Logger
	// LogIdentity returns the text that log lines show for an identity that Authenticate has
	// returned. It is called concurrently. Nil means that identities are not logged.
	LogIdentity func(identity any) string
}

// Handler serves the protocol. Make one with New. It is safe for concurrent use.
type Handler struct {
	policy       *serve.Policy
	gate         Gate // nil if the executor is no Gate
	schemas      func() protocol.Schemas
	limits       protocol.Limits
	linger       *serve.Linger
	exec         Executor
	wrapped      bool // by Middleware
	numericCodes bool
	log          serve.Log
	warned       atomic.Bool // about a ResponseWriter that holds streams back
	bodies       sync.Pool   // of *[]byte
}

// New returns a Handler that runs calls on exec. It panics if exec is nil.
func New(exec Executor, cfg Config) *Handler {
	if exec == nil {
		panic("tunnel: New needs an executor")
	}
	logger := cmp.Or(cfg.Logger, slog.Default())
	policy := serve.Policy{
		BasePath:         protocol.ParseBasePath(cfg.BasePath),
		CORS:             cfg.CORS,
		DisableDiscovery: cfg.DisableDiscovery,
		Tokens:           serve.NewTokens(cfg.TokenHeader, cfg.Tokens),
		Authenticate:     cfg.Authenticate,
		AllowAnonymous:   cfg.AllowAnonymous,
		AllowList:        func() *protocol.AllowList { return cfg.AllowList },
	}
	if lister, ok := exec.(Lister); ok {
		policy.Aliases = lister.List
		if cfg.AllowList == nil {
			policy.AllowList = lister.List
		}
	}
	if policy.AllowList() == nil {
		logger.Warn("tunnel: nothing may be called: the executor lists nothing, and Config.AllowList is nil")
	}
	h := &Handler{
		policy:       serve.NewPolicy(policy),
		schemas:      cfg.Schemas,
		limits:       cfg.Limits.WithDefaults(),
		linger:       serve.NewLinger(cfg.Limits),
		exec:         normalized{formReading{exec}},
		wrapped:      len(cfg.Middleware) > 0,
		numericCodes: cfg.NumericErrorCodes,
		log:          serve.Log{Logger: logger, Identity: cfg.LogIdentity},
		bodies:       sync.Pool{New: func() any { return new([]byte) }},
	}
	h.gate, _ = exec.(Gate)
	for i := len(cfg.Middleware) - 1; i >= 0; i-- {
		h.exec = normalized{cfg.Middleware[i](h.exec)}
	}
	return h
}

// ServeHTTP answers one request of net/http, or of a server with the same interface.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.ServeExchange(serve.OverNetHTTP(w, r), r)
}

// ServeExchange answers one request of any server. The order of the steps is the protocol's:
// what the head decides (see serve.Policy), the executor's gate, body, execution, answer.
func (h *Handler) ServeExchange(x serve.Exchange, r *http.Request) {
	q := &request{Exchange: x, Request: serve.Request{Head: r, Answer: x.Header(), Begun: time.Now()}}
	defer h.recover(q)
	err := h.policy.Decide(&q.Request)
	switch {
	case err != nil:
		h.refuseUnread(q, err)
	case q.Endpoint == serve.EndpointPreflight:
		h.preflight(q)
	case q.Endpoint == serve.EndpointDiscovery:
		h.discovery(q)
	default:
		h.call(q)
	}
}

// Listen returns a listener for an http.Server that takes its connections from ln and answers
// plain calls of h itself, with less work than net/http. Everything else, the service's own
// routes included, is left to the server. See http1.Front for what is plain, and http1.Listen
// for the server's time limits; it may be nil:
//
//	front := handler.Listen(ln, server)
//	go server.Serve(front)
//	…
//	front.Shutdown(ctx)
//	server.Shutdown(ctx)
//
// What stands around h in the server is passed by for these calls: HTTP middleware, the mux,
// ConnState. Shutdown of the server alone does not wait for them.
func (h *Handler) Listen(ln net.Listener, server *http.Server) *http1.Front {
	return http1.Listen(ln, h, server)
}

// Plain reports whether r is a call with a JSON body below the base path, see http1.Handler.
func (h *Handler) Plain(r *http.Request) bool {
	path, below := strings.CutPrefix(r.RequestURI, string(h.policy.BasePath))
	return below && (strings.HasPrefix(path, "/task/") || strings.HasPrefix(path, "/event/")) &&
		protocol.BodyModeOf(r.Header) == protocol.BodyJSON
}

// ConnContext is for the field ConnContext of an http.Server that has callers of HTTP/1.0,
// such as an nginx with its default configuration. Their answers end with the connection.
// With ConnContext, a streamed answer does not look whole to them if the server is closed,
// or its process killed, while the answer is sent.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	return serve.ConnContext(ctx, conn)
}

// request is a request while it is served.
type request struct {
	serve.Request
	serve.Exchange
	reading  bool // the JSON body was read from
	answered bool // an answer was begun
	cut      bool // the answer was cut
}

func (h *Handler) preflight(q *request) {
	h.linger.Before(q, q.Head, false)
	q.WriteHeader(http.StatusNoContent)
	h.linger.After(q, q.Head, false, nil)
}

func (h *Handler) discovery(q *request) {
	h.linger.Before(q, q.Head, false)
	doc, err := h.document()
	if err != nil {
		h.refuse(q, err)
	} else {
		h.log.Served(&q.Request, http.StatusOK, serve.WriteResult(q, doc))
	}
	h.linger.After(q, q.Head, false, nil)
}

// document returns the result of discovery.
func (h *Handler) document() ([]byte, error) {
	list := h.policy.AllowList()
	if h.schemas == nil {
		return list.Discovery(), nil
	}
	return list.Describe(h.schemas())
}

func (h *Handler) call(q *request) {
	if h.gate != nil {
		if err := h.gate.Admit(&q.Call); err != nil {
			h.refuseUnread(q, err)
			return
		}
	}
	if q.Call.Kind == protocol.KindEvent || protocol.BodyModeOf(q.Head.Header) == protocol.BodyJSON {
		h.json(q)
	} else {
		h.bytes(q)
	}
}

// json continues with a call whose body is JSON.
func (h *Handler) json(q *request) {
	buf := h.bodies.Get().(*[]byte)
	defer h.recycle(buf) // after the answer: a reply may alias the payload
	q.reading = q.Head.ContentLength <= h.limits.MaxBody
	body, err := serve.ReadBody(*buf, q, q.Head, h.limits.MaxBody)
	if err != nil {
		h.refuseUnread(q, err)
		return
	}
	*buf = body
	call := &q.Call
	if call.Payload, call.ReturnPayload, err = protocol.ParsePayload(call.Kind, body); err == nil && h.gate != nil {
		err = h.gate.Confirm(call)
	}
	if err != nil {
		h.refuse(q, err)
		return
	}
	h.run(q.Head.Context(), q)
}

// bytes continues with a call whose body is read while the task runs.
func (h *Handler) bytes(q *request) {
	multipart, limit := protocol.BodyModeOf(q.Head.Header) == protocol.BodyMultipart, h.limits.MaxStream
	if multipart {
		limit = 0 // a form has limits of its own
		if q.Head.Header.Get("Content-Encoding") != "" {
			limit = h.limits.MaxForm()
		}
	}
	body, err := serve.OpenBody(q, q.Head, limit)
	if err != nil {
		h.refuseUnread(q, err)
		return
	}
	h.open(q, body, multipart)
	if !body.Ended() && !q.cut {
		h.linger.After(q, q.Head, body.Begun(), body.Err())
	}
}

// open continues with a body that was opened, and releases it.
func (h *Handler) open(q *request, body *serve.Body, multipart bool) {
	defer body.Release()
	if !multipart {
		q.Call.Body = body
		h.run(body.Context(), q)
		return
	}
	form := protocol.NewForm(body, q.Head.Header.Get("Content-Type"), h.limits)
	defer form.Close()
	q.Call.Form = form
	var err error
	if q.Call.Payload, err = form.Manifest(); err != nil {
		if body.Err() == nil { // the time may be over all the same
			err = requestError(body.Context(), err)
		}
		h.refuse(q, err)
		return
	}
	h.run(body.Context(), q)
}

// run executes a call and answers.
func (h *Handler) run(ctx context.Context, q *request) {
	if h.wrapped {
		ctx = context.WithValue(ctx, requestKey{}, ctx)
	}
	reply, err := h.exec.Execute(ctx, &q.Call)
	switch {
	case err != nil:
	case reply.Stream != nil:
		err = h.stream(q, reply)
	default:
		q.answered = true
		h.log.Served(&q.Request, http.StatusOK, writeValue(q, &q.Call, reply))
	}
	switch {
	case err == nil:
	case isAbort(err):
		h.abort(q)
	default: // nothing was sent
		h.refuse(q, err)
	}
}

// writeValue answers with the value of a reply, or without one.
func writeValue(w http.ResponseWriter, call *protocol.Call, reply *protocol.Reply) error {
	void := reply.Void && reply.Value == nil
	if !void && (call.Kind == protocol.KindTask || call.ReturnPayload) {
		return serve.WriteResult(w, reply.Value)
	}
	return serve.WriteOK(w)
}

// stream sends a streamed reply. An error means that nothing was sent.
func (h *Handler) stream(q *request, reply *protocol.Reply) error {
	if writer := q.Buffering(); writer != "" && h.warned.CompareAndSwap(false, true) {
		h.log.Buffering(&q.Request, writer)
	}
	release := q.GuardEnd()
	err := writeStream(q, reply)
	q.answered = err == nil || errors.Is(err, serve.ErrStreamCut)
	switch {
	case err != nil && q.answered:
		h.cut(q, err)
		return nil
	case err == nil:
		h.log.Served(&q.Request, cmp.Or(reply.Status, http.StatusOK), nil)
	}
	release(err == nil)
	return err
}

func writeStream(x serve.Exchange, reply *protocol.Reply) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.Join(serve.ErrStreamCut, newPanicError(v))
		}
	}()
	return serve.WriteStream(x, reply)
}

// cut ends an answer that was begun, so that it never looks complete.
func (h *Handler) cut(q *request, err error) {
	defer h.abort(q) // whatever the log does
	switch {
	case isAbort(err): // nothing is logged, as in net/http
	case protocol.CodeOf(err) == protocol.CodeRequestAborted:
		h.failed(q, err)
	case isPanic(err):
		h.log.Cut(&q.Request, slog.LevelError, err)
	default:
		h.log.Cut(&q.Request, slog.LevelWarn, err)
	}
}

// abort ends the connection of an answer, or with HTTP/2 its stream.
func (h *Handler) abort(q *request) {
	q.cut = true
	q.Abort(q.answered)
}

// maxRecycled is the largest body buffer that is kept for another request.
const maxRecycled = 64 << 10

func (h *Handler) recycle(buf *[]byte) {
	if cap(*buf) <= maxRecycled {
		h.bodies.Put(buf)
	}
}

// refuseUnread refuses a request whose body was not read to its end.
func (h *Handler) refuseUnread(q *request, err error) {
	h.linger.Before(q, q.Head, q.reading)
	h.refuse(q, err)
	h.linger.After(q, q.Head, q.reading, err)
}

// refuse answers every request that has no success.
func (h *Handler) refuse(q *request, err error) {
	h.failed(q, err)
	if err := serve.WriteError(q, protocol.Public(err), h.numericCodes); err != nil && protocol.CodeOf(err) != protocol.CodeRequestAborted {
		h.log.Unsent(&q.Request, err)
	}
}

// failed logs the error of a request.
func (h *Handler) failed(q *request, err error) {
	level := serve.LevelOf(err)
	switch {
	case isPanic(err): // also if the caller has left
		level = slog.LevelError
	case err == bodyError(&q.Call): // what callers send must not set off alarms
		level = slog.LevelDebug
	}
	h.log.Failed(&q.Request, level, err)
}

// recover turns a panic of Authenticate, or of anything else below ServeExchange, into an
// internal error. Nothing was sent by then: executors and streams recover on their own.
func (h *Handler) recover(q *request) {
	switch v := recover(); {
	case v == nil:
	case v == http.ErrAbortHandler, q.answered: // by abort itself, or by the log
		h.abort(q)
	default:
		h.refuseUnread(q, newPanicError(v))
	}
}
