// Command minimal serves a Runner application, app.js in the folder -dir, as its own
// nodeExposure would: RUNNER_TOKEN=secret go run ./examples/minimal -dir examples/runner
//
// Arguments are flags of Node.js: -dir ../app -module dist/app.js -- --env-file=.env
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/bluelibs/go-tunnel/ipc"

	tunnel "github.com/bluelibs/go-tunnel"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:7070", "`address` to listen on")
	dir := flag.String("dir", ".", "the application's `folder`")
	module := flag.String("module", "app.js", "the `file` in it that exports the application")
	flag.Parse()
	if err := serve(*addr, *dir, *module, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func serve(addr, dir, module string, flags []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	opts := ipc.Node(module, flags...) // flags of Node.js, if any
	opts.Dir = dir
	opts.EnvFilter = func(name string) bool { return name != "RUNNER_TOKEN" }
	pool, err := ipc.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer pool.Close()
	handler := tunnel.New(pool, tunnel.Config{
		BasePath:     "/__runner",
		Tokens:       []string{os.Getenv("RUNNER_TOKEN")},
		Authenticate: pool.Authenticate, // asks the application's validators, if it has any
	})

	mux := http.NewServeMux()
	mux.Handle("/__runner/", handler) // the base path and a slash
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	log.Print("listening on ", listener.Addr())
	if os.Getenv("RUNNER_TOKEN") == "" {
		log.Print("RUNNER_TOKEN is not set: nobody is let in but by the application's validators")
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		stop() // a second signal ends the process at once
		stopped <- server.Shutdown(context.Background())
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	err = <-stopped // first the requests end, then the workers
	return errors.Join(err, pool.Shutdown(context.Background()))
}
