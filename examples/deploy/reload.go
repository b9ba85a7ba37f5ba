package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"unicode/utf8"

	"github.com/bluelibs/go-tunnel/ipc"

	tunnel "github.com/bluelibs/go-tunnel"
)

// current is the handler that requests get, which a reload replaces by one with the new
// tokens.
type current struct {
	handler atomic.Pointer[tunnel.Handler]
}

func (c *current) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.handler.Load().ServeHTTP(w, r)
}

// load takes the tokens that the file has now. A file without any is taken for one that
// is being written.
func (c *current) load(o options, pool *ipc.Pool) error {
	config := tunnel.Config{Authenticate: pool.Authenticate}
	if o.tokens != "" {
		tokens, err := readTokens(o.tokens)
		if err != nil {
			return fmt.Errorf("-tokens-file: %w", err)
		}
		config.Tokens = tokens
	}
	c.handler.Store(tunnel.New(pool, config))
	return nil
}

// readTokens returns the tokens of a file. Editors of some systems begin it with a byte
// order mark, which is part of no token.
func readTokens(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, fmt.Errorf("%s is not UTF-8 text", file)
	}
	tokens := strings.Fields(string(text))
	if len(tokens) == 0 {
		return nil, fmt.Errorf("no token in %s", file)
	}
	return tokens, nil
}

// reload takes new tokens and replaces the workers at each SIGHUP until ctx is done. The
// tokens do not wait for workers: a new SIGHUP takes the place of a restart under way.
func (c *current) reload(ctx context.Context, o options, pool *ipc.Pool) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	stop := func() {}
	defer func() { stop() }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			if err := c.load(o, pool); err != nil {
				slog.Error("the tokens stay as they are", "error", err)
			}
			stop()
			stop = restart(ctx, pool)
		}
	}
}

// restart begins to replace the workers. Stop gives that up if it is not over, and returns
// when it is.
func restart(ctx context.Context, pool *ipc.Pool) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var restarting sync.WaitGroup
	restarting.Go(func() {
		if err := pool.Restart(ctx); err != nil && ctx.Err() == nil { // nor given up
			slog.Error("the workers stay as they are", "error", err)
		}
	})
	return func() {
		cancel()
		restarting.Wait()
	}
}
