package main

import (
	"context"
	"net"
	"net/http"

	"github.com/bluelibs/go-tunnel/protocol/http1"
	exchanges "github.com/bluelibs/go-tunnel/protocol/serve"
)

// inFront returns a listener that answers plain calls before the server sees them. What
// stands around the handler there is passed by, so this has it again: closing is below, and
// a Front is impatient by itself. Net/http is needed for TLS.
func inFront(ctx context.Context, o options, at net.Listener, handler *current, server *http.Server) (net.Listener, func(context.Context) error) {
	if !o.front || o.cert != "" || o.key != "" {
		return at, func(context.Context) error { return nil }
	}
	front := http1.Listen(at, plainCalls{ctx, handler}, server)
	return front, front.Shutdown
}

// plainCalls are the calls that a Front serves, until ctx is done.
type plainCalls struct {
	stopping context.Context
	handler  *current
}

// Plain asks the handler.
func (p plainCalls) Plain(r *http.Request) bool { return p.handler.handler.Load().Plain(r) }

// ServeExchange makes the answers of a stopping server end their connections.
func (p plainCalls) ServeExchange(x exchanges.Exchange, r *http.Request) {
	if p.stopping.Err() != nil {
		x.CloseAfter()
	}
	p.handler.handler.Load().ServeExchange(x, r)
}
