// Command lanes is two services of a Runner 6 topology in one program. A task of a Runner
// application, which a worker serves on the lane orders, calls a task in Go on the lane
// pricing; and this program calls the first. Each lane has tokens (JWT) of its own, on top
// of the server's:
//
//	NODE_PATH=/path/to/node_modules go run ./examples/lanes
//
// where that folder has @bluelibs/runner 6.4 or later, which the registry does not have.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol/client"
	"github.com/bluelibs/go-tunnel/protocol/lane"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

//go:embed app.js
var app []byte

const (
	token         = "secret"
	orderSecret   = "an example's secret is none: give your own"
	pricingSecret = "and another one for the other lane"
)

type item struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// newRegistry has the tasks in Go, as a served lane.
func newRegistry() (*standalone.Registry, error) {
	pricing, err := lane.NewVerifier(lane.Auth{Lane: "pricing", Key: []byte(pricingSecret)})
	if err != nil {
		return nil, err
	}
	registry := standalone.NewRegistry()
	registry.Lane(pricing, "app.tasks.price")
	standalone.Task(registry, "app.tasks.price", func(_ context.Context, in item) (int, error) { return 25 * in.Count, nil })
	return registry, nil
}

// startWorker runs the Runner application, which finds the tasks in Go at url.
func startWorker(ctx context.Context, url string) (pool *ipc.Pool, remove func(), err error) {
	dir, err := os.MkdirTemp("", "go-tunnel-example-")
	if err != nil {
		return nil, nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	file := filepath.Join(dir, "app.js")
	if err := os.WriteFile(file, app, 0o600); err != nil {
		remove()
		return nil, nil, err
	}
	opts := ipc.Node(file)
	opts.Env = append(os.Environ(), "URL="+url, "TOKEN="+token, "ORDER_SECRET="+orderSecret, "PRICING_SECRET="+pricingSecret)
	if pool, err = ipc.Start(ctx, opts); err != nil {
		remove()
	}
	return pool, remove, err
}

// order calls the task on the lane orders.
func order(ctx context.Context, url string, in item) (out string, err error) {
	c, err := client.New(url, client.Config{Token: token})
	if err != nil {
		return "", err
	}
	signer, err := lane.NewSigner(lane.Signing{Lane: "orders", Key: []byte(orderSecret)})
	if err != nil {
		return "", err
	}
	return client.Task[string](ctx, c, "app.tasks.order", in, client.WithLane(signer))
}

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	url := "http://" + listener.Addr().String() + "/__runner"
	registry, err := newRegistry()
	if err != nil {
		return err
	}
	pool, remove, err := startWorker(ctx, url)
	if err != nil {
		return err
	}
	defer remove()
	defer pool.Close()

	server := &http.Server{Handler: tunnel.New(tunnel.Route(registry, pool), tunnel.Config{Tokens: []string{token}})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	answer, err := order(ctx, url, item{Name: "tea", Count: 4})
	if err == nil {
		fmt.Println(answer)
	}
	_ = server.Close()
	<-served
	return err
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
