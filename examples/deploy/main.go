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
// SIGHUP reads the tokens again and replaces the workers by new ones, SIGTERM stops the
// server, and so does SIGINT, without the wait for balancers. Beside it are what runs it:
// Dockerfile, compose.yaml, go-tunnel.service for systemd, kubernetes.yaml.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/bluelibs/go-tunnel/ipc"
)

type options struct {
	addr, admin, app, dir, flags, env, tokens, cert, key string
	workers, memory                                      int
	taskTimeout, drainDelay, drainTimeout                time.Duration
	front                                                bool
}

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "127.0.0.1:7070", "`address` of the tunnel")
	flag.StringVar(&o.admin, "admin", "127.0.0.1:7071", "`address` of /healthz, /readyz and /metrics, for nobody outside")
	flag.StringVar(&o.app, "app", "", "the workers' module, a `file`")
	flag.StringVar(&o.dir, "dir", "", "`folder` that workers work in, and to which -app is relative (default: that of -app)")
	flag.StringVar(&o.flags, "flags", "", "`flags` of Node.js, with spaces between: \"--require ./.pnp.cjs\"")
	flag.StringVar(&o.env, "env", "", "more variables for workers, `names` or NAME_* with commas between")
	flag.StringVar(&o.tokens, "tokens-file", "", "`file` of the callers' tokens, one a line (default: only the workers decide who is let in)")
	flag.StringVar(&o.cert, "tls-cert", "", "certificate `file`; with it the server speaks TLS, and HTTP/2")
	flag.StringVar(&o.key, "tls-key", "", "key `file` of the certificate")
	flag.BoolVar(&o.front, "front", true, "answer plain calls in front of net/http, with less work; not with TLS")
	flag.IntVar(&o.workers, "workers", 1, "`number` of worker processes")
	flag.IntVar(&o.memory, "worker-memory", 512, "`MiB` of memory after which a worker is replaced")
	flag.DurationVar(&o.taskTimeout, "task-timeout", time.Minute, "`time` for a call, that in which its files or its raw body arrive included; 0 is no limit")
	flag.DurationVar(&o.drainDelay, "drain-delay", 5*time.Second, "`time` for balancers to notice that /readyz answers 503")
	flag.DurationVar(&o.drainTimeout, "drain-timeout", 15*time.Second, "`time` that requests under way have to end")
	var level slog.Level
	flag.TextVar(&level, "log-level", slog.LevelInfo, "the lowest `level` to log: debug, info, warn or error")
	json := flag.Bool("log-json", false, "log in JSON, a line each")
	check := flag.Bool("check", false, "ask the server at -admin whether it is healthy, and exit")
	flag.Parse()
	if *json {
		slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	} else {
		slog.SetLogLoggerLevel(level)
	}
	err := error(nil)
	switch {
	case *check:
		err = healthy(o.admin)
	case o.app == "":
		err = errors.New("no -app: it names the module that the workers run, such as dist/app.js")
	default:
		err = run(o)
	}
	if err != nil {
		slog.Error("failed", "error", err)
		os.Exit(1)
	}
}

func run(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	pool, err := ipc.Start(ctx, o.worker())
	if err != nil {
		return err
	}
	defer pool.Close()
	var handler current
	if err := handler.load(o, pool); err != nil {
		return err
	}
	if o.tokens == "" {
		slog.Warn("no -tokens-file: nobody is let in but by the workers' authenticate function or validators")
	}
	var reloads sync.WaitGroup
	reloads.Go(func() { handler.reload(ctx, o, pool) })
	err = serve(ctx, o, &handler, pool)
	stop()
	reloads.Wait()
	return err
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
