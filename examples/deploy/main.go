// Command deploy is a server to copy: what stands around a tunnel.Handler and a pool of
// Node.js workers in production. It takes tokens from a file, speaks TLS and HTTP/2 if it
// has a certificate, ends callers that make no progress, answers probes and metrics at a
// port of its own, and stops in an order that fails no request:
//
//	echo secret > /tmp/tokens
//	go run ./examples/deploy -app examples/ipc/tasks.mjs -tokens-file /tmp/tokens
//	curl -X POST http://127.0.0.1:7070/__runner/task/app.tasks.add -H 'x-runner-token: secret' -d '{"input": {"a": 5, "b": 3}}'
//	curl http://127.0.0.1:7071/readyz
//
// SIGHUP replaces the workers by new ones, SIGTERM stops the server. Beside it are what
// runs it: Dockerfile, compose.yaml, go-tunnel.service for systemd, kubernetes.yaml.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bluelibs/go-tunnel/ipc"

	tunnel "github.com/bluelibs/go-tunnel"
)

type options struct {
	addr, admin, app, tokens, cert, key string
	workers, memory                     int
	drainDelay, drainTimeout            time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "127.0.0.1:7070", "`address` of the tunnel")
	flag.StringVar(&o.admin, "admin", "127.0.0.1:7071", "`address` of /healthz, /readyz and /metrics, for nobody outside")
	flag.StringVar(&o.app, "app", "", "the workers' module, a `file`")
	flag.StringVar(&o.tokens, "tokens-file", "", "`file` of the callers' tokens, one a line")
	flag.StringVar(&o.cert, "tls-cert", "", "certificate `file`; with it the server speaks TLS, and HTTP/2")
	flag.StringVar(&o.key, "tls-key", "", "key `file` of the certificate")
	flag.IntVar(&o.workers, "workers", 1, "`number` of worker processes")
	flag.IntVar(&o.memory, "worker-memory", 512, "`MiB` of memory after which a worker is replaced")
	flag.DurationVar(&o.drainDelay, "drain-delay", 5*time.Second, "`time` for balancers to notice that /readyz answers 503")
	flag.DurationVar(&o.drainTimeout, "drain-timeout", 15*time.Second, "`time` that requests under way have to end")
	check := flag.Bool("check", false, "ask the server at -admin whether it is healthy, and exit")
	flag.Parse()
	err := error(nil)
	if *check {
		err = healthy(o.admin)
	} else {
		err = run(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(o options) error {
	tokens, err := os.ReadFile(o.tokens)
	if err != nil {
		return fmt.Errorf("-tokens-file: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	pool, err := ipc.Start(ctx, o.worker())
	if err != nil {
		return err
	}
	defer pool.Close()
	var reloads sync.WaitGroup
	reloads.Go(func() { reload(ctx, pool) })
	handler := tunnel.New(pool, tunnel.Config{
		Tokens:       strings.Fields(string(tokens)),
		Authenticate: pool.Authenticate,
	})
	err = serve(ctx, o, handler, pool)
	stop()
	reloads.Wait()
	return err
}

// worker returns how a worker is run: with a heap that ends below the size at which the
// worker is replaced, and no variable but those that it needs.
func (o options) worker() ipc.Options {
	opts := ipc.Node(o.app, fmt.Sprintf("--max-old-space-size=%d", o.memory*3/4))
	opts.Workers = o.workers
	opts.MaxMemory = int64(o.memory) << 20
	opts.TaskTimeout = time.Minute
	opts.EnvFilter = func(name string) bool {
		return strings.HasPrefix(name, "APP_") || slices.Contains([]string{"PATH", "HOME", "TZ", "LANG", "NODE_ENV", "TMPDIR"}, name)
	}
	return opts
}

// reload replaces the workers at each SIGHUP until ctx is done.
func reload(ctx context.Context, pool *ipc.Pool) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			if err := pool.Restart(ctx); err != nil {
				slog.Error("the workers stay as they are", "error", err)
			}
		}
	}
}

// healthy asks a running server, for a container's health check: images have no curl.
func healthy(admin string) error {
	client := http.Client{Timeout: 2 * time.Second}
	res, err := client.Get("http://" + admin + "/healthz")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}
