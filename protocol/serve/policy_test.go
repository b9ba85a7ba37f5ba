package serve

import (
	"cmp"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/bluelibs/go-tunnel/protocol"
)

// untouchable is a body that Decide must leave alone.
type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, errors.New("untouchable")
}

// testPolicy serves the task "add", which has the other name "plus", and the event "told".
func testPolicy(change func(*Policy)) *Policy {
	list := protocol.NewAllowList([]string{"add", "a/b"}, []string{"told"}).WithAliases(map[string]string{"plus": "add"})
	get := func() *protocol.AllowList { return list }
	p := Policy{BasePath: protocol.ParseBasePath(""), Tokens: NewTokens("", []string{"secret"}), AllowList: get, Aliases: get}
	if change != nil {
		change(&p)
	}
	return NewPolicy(p)
}

// asked is a request whose body must not be read, with the token "secret" unless told otherwise.
func asked(t *testing.T, method, path string, header ...string) *Request {
	r := httptest.NewRequest(method, path, untouchable{t})
	r.Header.Set("X-Runner-Token", "secret")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return &Request{Head: r, Answer: http.Header{}}
}

func TestPolicyDecides(t *testing.T) {
	const stranger = "X-Runner-Token"
	authenticate := func(identity any, err error) func(*Policy) {
		return func(p *Policy) {
			p.Authenticate = func(*http.Request) (any, error) { return identity, err }
		}
	}
	for name, c := range map[string]struct {
		method, path string // POST unless given
		header       []string
		change       func(*Policy)
		endpoint     Endpoint
		call         string // kind and id
		identity     any
		code         protocol.Code
	}{
		"a task":                     {path: "/__runner/task/add", endpoint: EndpointCall, call: "task add"},
		"an event":                   {path: "/__runner/event/told", endpoint: EndpointCall, call: "event told"},
		"an escaped id":              {path: "/__runner/task/a%2Fb", endpoint: EndpointCall, call: "task a/b"},
		"an id with a slash":         {path: "/__runner/task/a/b", endpoint: EndpointCall, call: "task a/b"},
		"another name":               {path: "/__runner/task/plus", endpoint: EndpointCall, call: "task add"},
		"discovery":                  {path: "/__runner/discovery", endpoint: EndpointDiscovery},
		"discovery by GET":           {method: "GET", path: "/__runner/discovery/and/more", endpoint: EndpointDiscovery},
		"discovery, 401":             {path: "/__runner/discovery", header: []string{stranger, ""}, endpoint: EndpointDiscovery, code: protocol.CodeUnauthorized},
		"discovery is off":           {path: "/__runner/discovery", change: func(p *Policy) { p.DisableDiscovery = true }, code: protocol.CodeNotFound},
		"a preflight":                {method: "OPTIONS", path: "/__runner/task/add", header: []string{stranger, ""}, endpoint: EndpointPreflight},
		"a preflight for nothing":    {method: "OPTIONS", path: "/__runner/nothing", endpoint: EndpointPreflight},
		"a preflight elsewhere":      {method: "OPTIONS", path: "/elsewhere", code: protocol.CodeNotFound},
		"elsewhere":                  {path: "/elsewhere", header: []string{stranger, ""}, code: protocol.CodeNotFound},
		"404 before 401":             {path: "/__runner/nothing", header: []string{stranger, ""}, code: protocol.CodeNotFound},
		"405 before 401":             {method: "GET", path: "/__runner/task/add", header: []string{stranger, ""}, code: protocol.CodeMethodNotAllowed},
		"no id":                      {path: "/__runner/task/", header: []string{stranger, ""}, code: protocol.CodeNotFound},
		"an id that is not UTF-8":    {path: "/__runner/task/%ff", header: []string{stranger, ""}, endpoint: EndpointCall, code: protocol.CodeNotFound},
		"the same by GET":            {method: "GET", path: "/__runner/task/%ff", code: protocol.CodeNotFound},
		"401 before 403":             {path: "/__runner/task/other", header: []string{stranger, "guess"}, endpoint: EndpointCall, call: "task other", code: protocol.CodeUnauthorized},
		"403 of an unknown id":       {path: "/__runner/task/other", endpoint: EndpointCall, call: "task other", code: protocol.CodeForbidden},
		"403 of an event as a task":  {path: "/__runner/task/told", endpoint: EndpointCall, call: "task told", code: protocol.CodeForbidden},
		"no allow-list":              {path: "/__runner/task/add", change: func(p *Policy) { p.AllowList = func() *protocol.AllowList { return nil } }, endpoint: EndpointCall, call: "task add", code: protocol.CodeForbidden},
		"no aliases":                 {path: "/__runner/task/plus", change: func(p *Policy) { p.Aliases = nil }, endpoint: EndpointCall, call: "task plus", code: protocol.CodeForbidden},
		"another base path":          {path: "/rpc/task/add", change: func(p *Policy) { p.BasePath = protocol.ParseBasePath("rpc") }, endpoint: EndpointCall, call: "task add"},
		"nothing configured":         {path: "/__runner/task/add", change: func(p *Policy) { p.Tokens = Tokens{} }, endpoint: EndpointCall, call: "task add", code: protocol.CodeAuthNotConfigured},
		"anonymous":                  {path: "/__runner/task/add", change: func(p *Policy) { p.Tokens, p.AllowAnonymous = Tokens{}, true }, endpoint: EndpointCall, call: "task add"},
		"anonymous beside tokens":    {path: "/__runner/task/add", header: []string{stranger, ""}, change: func(p *Policy) { p.AllowAnonymous = true }, endpoint: EndpointCall, call: "task add", code: protocol.CodeUnauthorized},
		"an identity":                {path: "/__runner/task/add", header: []string{stranger, ""}, change: authenticate("ada", nil), endpoint: EndpointCall, call: "task add", identity: "ada"},
		"a token before an identity": {path: "/__runner/task/add", change: authenticate("ada", nil), endpoint: EndpointCall, call: "task add"},
		"a private refusal":          {path: "/__runner/task/add", header: []string{stranger, ""}, change: authenticate("ada", errors.New("no")), endpoint: EndpointCall, call: "task add", code: protocol.CodeUnauthorized},
		"a refusal of its own":       {path: "/__runner/task/add", header: []string{stranger, ""}, change: authenticate("ada", &protocol.Error{Code: protocol.CodeOverloaded}), endpoint: EndpointCall, call: "task add", code: protocol.CodeOverloaded},
		"nothing to ask":             {path: "/__runner/task/add", header: []string{stranger, ""}, change: authenticate("ada", &protocol.Error{Code: protocol.CodeAuthNotConfigured}), endpoint: EndpointCall, call: "task add", code: protocol.CodeUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			q := asked(t, cmp.Or(c.method, http.MethodPost), c.path, c.header...)
			err := testPolicy(c.change).Decide(q)
			assert.Equal(t, c.code, protocol.CodeOf(err), err)
			assert.Equal(t, c.endpoint, q.Endpoint)
			call := ""
			if q.Call.ID != "" {
				call = q.Call.Kind.String() + " " + q.Call.ID
			}
			assert.Equal(t, c.call, call)
			assert.Equal(t, c.identity, q.Call.Identity)
		})
	}
}

func TestPolicySetsTheHeadersOfTheAnswer(t *testing.T) {
	security := http.Header{"X-Content-Type-Options": {"nosniff"}, "X-Frame-Options": {"DENY"}, "Access-Control-Allow-Origin": {"https://a.example"}}
	with := func(header ...string) http.Header {
		all := security.Clone()
		for i := 0; i < len(header); i += 2 {
			all[header[i]] = []string{header[i+1]}
		}
		return all
	}
	const id, exposed = "X-Runner-Request-Id", "Access-Control-Expose-Headers"
	policy := testPolicy(func(p *Policy) {
		p.CORS = &protocol.CORS{Origin: "https://a.example", ExposedHeaders: []string{"x-a"}}
	})
	for name, c := range map[string]struct {
		method, path string
		want         http.Header
	}{
		"a call":           {"POST", "/__runner/task/add", with(id, "mine", exposed, "x-a")},
		"a refused call":   {"POST", "/__runner/task/other", with(id, "mine", exposed, "x-a")},
		"a wrong method":   {"PUT", "/__runner/task/add", with(id, "mine", exposed, "x-a", "Allow", "POST, OPTIONS")},
		"wrong, of both":   {"PUT", "/__runner/discovery", with(id, "mine", exposed, "x-a", "Allow", "GET, POST, OPTIONS")},
		"a preflight":      {"OPTIONS", "/__runner/task/add", with(id, "mine", "Access-Control-Allow-Methods", "POST, OPTIONS")},
		"not below it":     {"POST", "/elsewhere", with(exposed, "x-a")},
		"not a path of it": {"POST", "/__runner/nothing", with(id, "mine", exposed, "x-a")},
	} {
		q := asked(t, c.method, c.path, id, "mine")
		_ = policy.Decide(q)
		assert.Equal(t, c.want, q.Answer, name)
	}
}

func TestPolicyFillsTheCallIn(t *testing.T) {
	q := asked(t, "POST", "http://host.example/__runner/task/add?x=1", "X-Runner-Request-Id", "bad id")
	var seen string
	policy := testPolicy(func(p *Policy) {
		p.Tokens = Tokens{}
		p.Authenticate = func(r *http.Request) (any, error) {
			seen = r.Header.Get("X-Runner-Request-Id")
			return nil, nil
		}
	})
	assert.NoError(t, policy.Decide(q))
	assert.NotContains(t, q.Call.RequestID, " ")
	assert.Equal(t, q.Call.RequestID, seen, "Authenticate sees the final one")
	assert.Equal(t, q.Call.RequestID, q.Answer.Get("X-Runner-Request-Id"))
	assert.Equal(t, "bad id", q.Head.Header.Get("X-Runner-Request-Id"), "the request is not changed")
	want := protocol.Call{ID: "add", RequestID: seen, Header: q.Head.Header, Host: "host.example", Method: "POST",
		Target: q.Head.RequestURI, RemoteAddr: q.Head.RemoteAddr, BasePath: "/__runner"}
	assert.Equal(t, want, q.Call)
}

// The log names the call even if Authenticate panics.
func TestPolicyKnowsTheCallOfAPanic(t *testing.T) {
	q := asked(t, "POST", "/__runner/event/told")
	policy := testPolicy(func(p *Policy) {
		p.Tokens = Tokens{}
		p.Authenticate = func(*http.Request) (any, error) { panic("a bug") }
	})
	assert.PanicsWithValue(t, "a bug", func() { _ = policy.Decide(q) })
	assert.Equal(t, EndpointCall, q.Endpoint)
	assert.Equal(t, "event told", q.Call.Kind.String()+" "+q.Call.ID)
	assert.NotEmpty(t, q.Call.RequestID)
}
