// Package serve is what the example servers have in common: flags, listening and a
// graceful stop. The interesting lines are in the examples themselves.
package serve

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"

	tunnel "github.com/bluelibs/go-tunnel"
)

// Flags are the command line's, with the examples' defaults.
type Flags struct {
	Addr, BasePath, Token, Header, Origin, Tasks, Events, Cert, Key string
	MaxBody                                                         int64

	// Front answers plain calls in front of the http.Server, if what is served is a
	// tunnel.Handler.
	Front bool
	// Ready says whether requests can be served. Nil means always.
	Ready func() bool
	// Try is a command line to print at the start. URL in it stands for the address and
	// the base path, TOKEN for curl's arguments that present the token.
	Try string
}

// Register defines the flags. Tasks and events are the default allow-list; without
// any the executor says what may be called.
func Register(tasks, events string) *Flags {
	f := &Flags{}
	flag.StringVar(&f.Addr, "addr", "127.0.0.1:7070", "`address` to listen on")
	flag.StringVar(&f.BasePath, "base-path", protocol.DefaultBasePath, "`path` below which the tunnel is served")
	flag.StringVar(&f.Token, "token", "secret", "`token` that callers must present")
	flag.StringVar(&f.Header, "header", "x-runner-token", "`header` that carries the token")
	flag.StringVar(&f.Origin, "cors-origin", "*", "`origin` that browsers may call from")
	flag.StringVar(&f.Tasks, "tasks", tasks, "allowed tasks, `ids` with commas between")
	flag.StringVar(&f.Events, "events", events, "allowed events, `ids` with commas between")
	flag.StringVar(&f.Cert, "tls-cert", "", "certificate `file`; with it the server speaks TLS, and HTTP/2")
	flag.StringVar(&f.Key, "tls-key", "", "key `file` of the certificate")
	flag.Int64Var(&f.MaxBody, "max-body", protocol.DefaultMaxBody, "largest request body in `bytes`")
	return f
}

// Default sets the allow-list if the command line did not.
func (f *Flags) Default(tasks, events string) {
	if f.Tasks == "" && f.Events == "" {
		f.Tasks, f.Events = tasks, events
	}
}

// Config returns the handler's configuration.
func (f *Flags) Config() tunnel.Config {
	config := tunnel.Config{
		BasePath:    f.BasePath,
		Tokens:      []string{f.Token},
		TokenHeader: f.Header,
		CORS:        &protocol.CORS{Origin: f.Origin},
		Limits:      protocol.Limits{MaxBody: f.MaxBody},
	}
	if f.Tasks != "" || f.Events != "" {
		config.AllowList = protocol.NewAllowList(split(f.Tasks), split(f.Events))
	}
	return config
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// Context is done when the process is asked to stop. A second signal ends it at once.
func Context() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

// TryAdd is a Flags.Try for servers that have the task app.tasks.add.
const TryAdd = `curl -X POST URL/task/app.tasks.add TOKEN -H 'Content-Type: application/json' -d '{"input": {"a": 5, "b": 3}}'`

// stopTimeout is how long requests that are under way may take after a signal.
const stopTimeout = 15 * time.Second

// Run serves handler until ctx is done and requests under way have ended. Besides, GET
// /healthz answers 200 as long as this process serves at all, and GET /readyz while it
// can serve tasks, 503 otherwise.
func (f *Flags) Run(ctx context.Context, handler http.Handler) error {
	listener, err := net.Listen("tcp", f.Addr)
	if err != nil {
		return err
	}
	// A ReadTimeout would cut off every upload that takes longer, a WriteTimeout every
	// streamed answer: both count from the request's beginning, however well it goes on.
	// examples/deploy has limits for callers that make no progress.
	server := &http.Server{
		Handler:           f.withHealth(ctx, handler),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ConnContext:       tunnel.ConnContext, // for proxies that speak HTTP/1.0
	}
	f.announce(listener.Addr())
	if f.Token == "" {
		slog.Warn("no -token: nobody is let in, unless the tasks' own authentication says so")
	}
	listener, shutdown := f.front(listener, handler, server)
	served := make(chan error, 1)
	go func() { served <- f.serve(server, listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	slog.Info("stopping")
	bound, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err = shutdown(bound)
	if served := <-served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// FrontFlag defines the flag of the examples that have a Front.
func (f *Flags) FrontFlag() {
	flag.BoolVar(&f.Front, "front", true, "answer plain calls in front of net/http, with less work; not with TLS")
}

// front returns where the server is to listen, and how both are stopped.
func (f *Flags) front(at net.Listener, handler http.Handler, server *http.Server) (net.Listener, func(context.Context) error) {
	calls, ok := handler.(*tunnel.Handler)
	if !ok || !f.Front || f.secure() {
		return at, server.Shutdown
	}
	front := calls.Listen(at, server)
	return front, func(ctx context.Context) error { return errors.Join(front.Shutdown(ctx), server.Shutdown(ctx)) }
}

// withHealth leaves all other requests to the handler as they came, which a ServeMux
// would not.
func (f *Flags) withHealth(ctx context.Context, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet || r.URL.Path != "/healthz" && r.URL.Path != "/readyz":
			handler.ServeHTTP(w, r)
		case r.URL.Path == "/readyz" && (ctx.Err() != nil || f.Ready != nil && !f.Ready()):
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		default:
			fmt.Fprintln(w, "ok")
		}
	})
}

func (f *Flags) serve(server *http.Server, listener net.Listener) error {
	if f.secure() {
		return server.ServeTLS(listener, f.Cert, f.Key)
	}
	return server.Serve(listener)
}

func (f *Flags) secure() bool { return f.Cert != "" || f.Key != "" }

func (f *Flags) announce(addr net.Addr) {
	url := "http://"
	if f.secure() {
		url = "https://"
	}
	url += addr.String() + strings.TrimSuffix("/"+strings.Trim(f.BasePath, "/"), "/")
	try := strings.NewReplacer("URL", url, "TOKEN", "-H '"+f.Header+": "+f.Token+"'").Replace(f.Try)
	fmt.Printf("Listening on %s\nTry:\n  %s\n", url, try)
}
