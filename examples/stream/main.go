// Command stream serves tasks whose bodies and results are streams, and a page to
// watch them in a browser, at http://127.0.0.1:7070/:
//
//	go run ./examples/stream
//	curl -N -X POST http://127.0.0.1:7070/__runner/task/app.tasks.clock -H 'x-runner-token: secret'
//	curl -N -T - -X POST http://127.0.0.1:7070/__runner/task/app.tasks.upper -H 'x-runner-token: secret' -H 'Content-Type: application/octet-stream'
//
// What is typed into the last one comes back in upper case, line by line.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"net/http"
	"os"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/ipc"

	tunnel "github.com/bluelibs/go-tunnel"
)

var (
	//go:embed tasks.mjs
	tasks []byte
	//go:embed page.html
	page []byte
)

func main() {
	flags := serve.Register("", "")
	flags.Try = `curl -N -X POST URL/task/app.tasks.clock TOKEN -d '{"input": {"ticks": 3}}'`
	flag.Parse()
	if err := run(flags); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(flags *serve.Flags) error {
	module, remove, err := serve.Module(tasks)
	if err != nil {
		return err
	}
	defer remove()
	ctx := serve.Context()
	opts := ipc.Node(module)
	opts.Output = serve.Terminal()
	pool, err := ipc.Start(ctx, opts)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	})
	mux.Handle("/", tunnel.New(pool, flags.Config()))
	err = flags.Run(ctx, mux)
	_ = pool.Shutdown(context.Background())
	return err
}
