package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

const (
	token    = "secret"
	taskPath = "/__runner/task/"
)

// ready is what a contender prints when it serves; child.js prints the same.
type ready struct {
	Addr    string `json:"addr"`
	Workers []int  `json:"workers"` // process ids
}

// heap is what a Go contender answers to each line on its standard input.
type heap struct {
	Mallocs uint64 `json:"mallocs"`
}

// serve is a Go contender, until the end of its standard input.
func serve(name, dir string, workers int) (err error) {
	name, inFront := strings.CutSuffix(name, fronted)
	handler, pool, err := newHandler(name, dir, workers)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	var announced ready
	if pool != nil {
		defer func() { err = errors.Join(err, pool.Shutdown(context.Background())) }()
		for _, worker := range pool.Stats().Workers {
			announced.Workers = append(announced.Workers, worker.PID)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler}
	if inFront {
		front := handler.(*tunnel.Handler).Listen(listener, server)
		defer func() { err = errors.Join(err, front.Shutdown(context.Background())) }()
		listener = front
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() { <-served }()
	defer server.Close()

	announced.Addr = listener.Addr().String()
	if err := out.Encode(announced); err != nil {
		return err
	}
	questions := bufio.NewScanner(os.Stdin)
	for questions.Scan() {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		if err := out.Encode(heap{stats.Mallocs}); err != nil {
			return err
		}
	}
	return questions.Err()
}

func newHandler(name, dir string, workers int) (http.Handler, *ipc.Pool, error) {
	config := tunnel.Config{Tokens: []string{token}}
	switch name {
	case "bare":
		return bare(), nil, nil
	case "standalone":
		return tunnel.New(newRegistry(), config), nil, nil
	case "ipc-module", "ipc-runner", "ipc-bun", "ipc-deno":
		run, module := ipc.Node, "tasks.js"
		switch name {
		case "ipc-runner":
			module = "app.js"
		case "ipc-bun":
			run = ipc.Bun
		case "ipc-deno":
			run = ipc.Deno
		}
		opts := run(filepath.Join(dir, module))
		opts.Workers = workers
		opts.Concurrency = 4096 // 2,000 tasks that wait fit into one worker
		opts.Logger = slog.New(slog.DiscardHandler)
		pool, err := ipc.Start(context.Background(), opts)
		if err != nil {
			return nil, nil, err
		}
		return tunnel.New(pool, config), pool, nil
	}
	return nil, nil, fmt.Errorf("there is no contender %q in Go", name)
}

func newRegistry() *standalone.Registry {
	registry := standalone.NewRegistry()
	standalone.Task(registry, "bench.add", add)
	standalone.Task(registry, "bench.echo", echo)
	standalone.Task(registry, "bench.wait", wait)
	standalone.Task(registry, "bench.compute", compute)
	standalone.Task(registry, "bench.upload", upload)
	return registry
}
