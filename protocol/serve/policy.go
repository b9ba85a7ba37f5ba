package serve

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/julienschmidt/httprouter"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Policy decides what becomes of a request as far as its head tells. It does no I/O of its
// own. Make one with NewPolicy. It is safe for concurrent use.
type Policy struct {
	// BasePath is the path below which the protocol lives.
	BasePath protocol.BasePath
	// CORS sets the cross-origin headers. Nil means the zero value.
	CORS *protocol.CORS
	// DisableDiscovery answers 404 at the discovery path.
	DisableDiscovery bool

	// Tokens are the tokens of which a caller must present one.
	Tokens Tokens
	// Authenticate, if not nil, decides about callers without a valid token, as described at
	// tunnel.Config.
	Authenticate func(r *http.Request) (identity any, err error)
	// AllowAnonymous admits every caller if neither Tokens nor Authenticate is set.
	AllowAnonymous bool

	// AllowList returns what may be called.
	AllowList func() *protocol.AllowList
	// Aliases, if not nil, returns a list with other names of ids, which are resolved first.
	Aliases func() *protocol.AllowList

	routes *httprouter.Router
}

// The names of the parameters of routes tell the endpoints apart.
const (
	paramTask      = "task"
	paramEvent     = "event"
	paramDiscovery = "discovery"
)

// NewPolicy returns a copy of p that can decide.
func NewPolicy(p Policy) *Policy {
	if p.CORS == nil {
		p.CORS = &protocol.CORS{}
	}
	// Only the router's tree is used: its ServeHTTP would redirect.
	unused := func(http.ResponseWriter, *http.Request, httprouter.Params) {}
	p.routes = httprouter.New()
	p.routes.POST("/task/*"+paramTask, unused)
	p.routes.POST("/event/*"+paramEvent, unused)
	if !p.DisableDiscovery {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			p.routes.Handle(method, "/discovery", unused)
			p.routes.Handle(method, "/discovery/*"+paramDiscovery, unused)
		}
	}
	return &p
}

// Decide takes the steps of the protocol up to the body, in its order: base path, CORS,
// request id, preflight, route and method, authentication, allow-list. It sets the headers of
// the answer and fills q in as far as it gets. The error is the refusal of the request.
func (p *Policy) Decide(q *Request) error {
	setSecurity(q.Answer)
	setCORS(p.CORS, q.Answer, q.Head.Header)
	path, below := p.BasePath.Cut(q.Head.URL)
	if !below {
		setExposed(p.CORS, q.Answer)
		return &protocol.Error{Code: protocol.CodeNotFound, Err: fmt.Errorf("the path is not below %s", p.BasePath)}
	}
	q.Call.RequestID = protocol.RequestID(q.Head.Header)
	q.requestID[0] = q.Call.RequestID
	q.Answer[protocol.HeaderRequestID] = q.requestID[:]
	if q.Head.Method == http.MethodOptions {
		q.Endpoint = EndpointPreflight
		setPreflight(p.CORS, q.Answer, q.Head.Header)
		return nil
	}
	setExposed(p.CORS, q.Answer)
	if err := p.route(q, path); err != nil {
		return err
	}
	var err error
	if q.Call.Identity, err = p.authenticate(q.Head, q.Call.RequestID); err != nil || q.Endpoint == EndpointDiscovery {
		return err
	}
	return p.authorize(q.Call.Kind, q.Call.ID)
}

// route finds the endpoint of a path below the base path, and the call that it is about.
func (p *Policy) route(q *Request, path string) error {
	handle, params, _ := p.routes.Lookup(q.Head.Method, path)
	if handle == nil {
		return p.unrouted(q.Answer, path)
	}
	if len(params) == 0 || params[0].Key == paramDiscovery {
		q.Endpoint = EndpointDiscovery
		return nil
	}
	q.Endpoint = EndpointCall
	r, call := q.Head, &q.Call
	if params[0].Key == paramEvent {
		call.Kind = protocol.KindEvent
	}
	call.Header, call.Host, call.Method = r.Header, r.Host, r.Method
	call.Target, call.RemoteAddr, call.BasePath = r.RequestURI, r.RemoteAddr, string(p.BasePath)
	id, ok := protocol.UnescapeID(params[0].Value[1:])
	if !ok {
		return &protocol.Error{Code: protocol.CodeNotFound}
	}
	if p.Aliases != nil {
		id = p.Aliases().Resolve(call.Kind, id)
	}
	call.ID = id
	return nil
}

// unrouted returns 405 if the path exists for another method, and otherwise 404.
func (p *Policy) unrouted(answer http.Header, path string) error {
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		handle, params, _ := p.routes.Lookup(method, path)
		if handle == nil {
			continue
		}
		if len(params) > 0 && params[0].Key != paramDiscovery {
			if _, ok := protocol.UnescapeID(params[0].Value[1:]); !ok {
				continue
			}
		}
		allow = append(allow, method)
	}
	if allow == nil {
		return &protocol.Error{Code: protocol.CodeNotFound}
	}
	answer.Set("Allow", strings.Join(append(allow, http.MethodOptions), ", "))
	return &protocol.Error{Code: protocol.CodeMethodNotAllowed}
}

// authenticate asks the tokens, then Authenticate.
func (p *Policy) authenticate(r *http.Request, requestID string) (identity any, err error) {
	if p.Tokens.Match(r.Header) {
		return nil, nil
	}
	if p.Authenticate != nil {
		identity, err = p.Authenticate(withRequestID(r, requestID))
		if err == nil {
			return identity, nil
		}
		var public *protocol.Error
		if !errors.As(err, &public) {
			return nil, &protocol.Error{Code: protocol.CodeUnauthorized, Err: err}
		}
		if public.Code != protocol.CodeAuthNotConfigured {
			return nil, err
		}
	}
	if !p.Tokens.Empty() {
		return nil, &protocol.Error{Code: protocol.CodeUnauthorized}
	}
	if !p.AllowAnonymous {
		return nil, &protocol.Error{Code: protocol.CodeAuthNotConfigured}
	}
	return nil, nil
}

// withRequestID returns r with the request id that logs and the executor see.
func withRequestID(r *http.Request, id string) *http.Request {
	if protocol.CombinedHeader(r.Header, protocol.HeaderRequestID) == id {
		return r
	}
	changed := *r
	changed.Header = r.Header.Clone()
	changed.Header.Set(protocol.HeaderRequestID, id)
	return &changed
}

// authorize checks the allow-list.
func (p *Policy) authorize(kind protocol.Kind, id string) error {
	list := p.AllowList()
	if list == nil {
		return &protocol.Error{Code: protocol.CodeForbidden, Message: "Exposure not enabled"}
	}
	if !list.Allows(kind, id) {
		return protocol.NotExposed(kind, id)
	}
	return nil
}
