package protocoltest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Setup is what a case needs to be configured at the server, in the terms of the
// wire. Run fills in the defaults before it hands one on.
type Setup struct {
	// BasePath is the base path as a user would configure it. Default:
	// protocol.DefaultBasePath.
	BasePath string

	// Tokens are the accepted tokens. Nil means one, Token; an empty list means none.
	Tokens []string
	// TokenHeader is the header of the token. Default: protocol.HeaderToken.
	TokenHeader string
	// Authenticate, if not nil, decides about callers without a valid token: a
	// *protocol.Error is answered as it is, any other error means 401.
	Authenticate func(*http.Request) (any, error)
	// AllowAnonymous lets everybody in where there is nothing to authenticate with.
	AllowAnonymous bool

	// AllowList says what may be called. Nil means AllowList(), the test application's.
	AllowList *protocol.AllowList
	// Closed means that there is no allow-list at all; AllowList is nil then.
	Closed bool
	// DisableDiscovery hides discovery.
	DisableDiscovery bool

	// CORS is the cross-origin configuration. Nil means none.
	CORS *protocol.CORS
	// Limits bound request bodies. The zero value means the protocol's own.
	Limits protocol.Limits
	// NumericErrorCodes asks for the older form of errors.
	NumericErrorCodes bool
}

func (s Setup) withDefaults() Setup {
	if s.BasePath == "" {
		s.BasePath = protocol.DefaultBasePath
	}
	if s.Tokens == nil {
		s.Tokens = []string{Token}
	}
	if s.TokenHeader == "" {
		s.TokenHeader = protocol.HeaderToken
	}
	if s.AllowList == nil && !s.Closed {
		s.AllowList = AllowList()
	}
	return s
}

// Case is one rule of the wire, with a request that shows it and the answer to it.
type Case struct {
	// Topic is the part of the wire that the rule belongs to, a word such as "routing".
	Topic string
	// Name tells the case from the others of its topic.
	Name string
	// Rule is the rule as a sentence. It is printed when the case fails.
	Rule string

	Setup   Setup
	Request Request
	Want    Want

	// HTTP1Only marks a request that a client of HTTP/2 cannot send as it stands here.
	// It is written by hand to a connection of its own.
	HTTP1Only bool
	// ParallelEvents marks a case for executors that know which events are parallel.
	ParallelEvents bool
	// Bytes marks a case for executors that take files and streams.
	Bytes bool
}

// Request is what a case sends.
type Request struct {
	Method string
	// Path is the request target as it is sent: nothing is escaped or cleaned.
	Path   string
	Header []Field
	Body   []byte
	// Chunked sends the body without announcing its length.
	Chunked bool
}

// Field is one line of a header.
type Field struct{ Name, Value string }

// Want is the answer to a request. What holds for every answer is checked for all
// cases and not repeated here: Content-Type and Content-Length, the security headers
// and the request id, and the absence of headers that the protocol does not have.
type Want struct {
	Status int
	// Body is the body to the byte.
	Body string
	// Header has the values of headers. Those of the CORS family and Vary, Allow and
	// Retry-After must be absent unless they are in it; the default of
	// Access-Control-Allow-Origin is "*".
	Header map[string]string
	// RequestID is the request id that the answer carries. Empty means a new one.
	RequestID string
	// OutsideBase means that the path is none of the protocol's, so that the answer has
	// no request id.
	OutsideBase bool
	// Stream is the Content-Type of a body that is a stream. Empty means an envelope.
	Stream string
	// Cut means that the stream breaks off behind Body.
	Cut bool
	// Preflight means an answer without a body. It need have neither a request id nor
	// the security headers.
	Preflight bool
}

// Cases returns all cases, topic by topic.
func Cases() []Case {
	var all []Case
	for _, group := range []struct {
		topic string
		cases []Case
	}{
		{"routing", slices.Concat(routingCases(), pathCases())},
		{"order", orderCases()},
		{"auth", authCases()},
		{"allow-list", allowListCases()},
		{"body", slices.Concat(bodyCases(), sizeCases(), encodingCases())},
		{"json", slices.Concat(malformedCases(), textCases())},
		{"results", resultCases()},
		{"errors", errorCases()},
		{"events", eventCases()},
		{"discovery", discoveryCases()},
		{"cors", slices.Concat(corsCases(), preflightCases())},
		{"headers", headerCases()},
		{"multipart", slices.Concat(formCases(), manifestCases(), brokenFormCases(), formLimitCases())},
		{"octet-stream", octetCases()},
		{"streams", streamCases()},
	} {
		for _, c := range group.cases {
			c.Topic = group.topic
			c.Bytes = c.Bytes || group.topic == "multipart" || group.topic == "octet-stream" || group.topic == "streams"
			all = append(all, c)
		}
	}
	return all
}

// The cases spell out what is on the wire, and take no constant for it from package
// protocol: they would follow a mistake there.
const (
	base      = "/__runner"
	addPath   = base + "/task/app.tasks.add"
	echoPath  = base + "/task/app.tasks.echo"
	eventPath = base + "/event/app.events."
	undefined = `{"__type":"Undefined","value":null}`
	addBody   = `{"input":{"a":5,"b":3}}`
)

// send is a request as a client of the protocol makes it.
func send(method, path, body string) Request {
	r := Request{Method: method, Path: path, Header: []Field{{"x-runner-token", Token}}}
	if body != "" {
		r.Body = []byte(body)
		r.Header = append(r.Header, Field{"content-type", "application/json; charset=utf-8"})
	}
	return r
}

func post(path, body string) Request      { return send(http.MethodPost, path, body) }
func task(name, body string) Request      { return post(base+"/task/app.tasks."+name, body) }
func event(name, body string) Request     { return post(eventPath+name, body) }
func add() Request                        { return post(addPath, addBody) }
func get(path string) Request             { return send(http.MethodGet, path, "") }
func options(path string) Request         { return Request{Method: http.MethodOptions, Path: path} }
func (r Request) chunked() Request        { r.Chunked = true; return r }
func (r Request) method(m string) Request { r.Method = m; return r }

// with adds a line to the header.
func (r Request) with(name, value string) Request {
	r.Header = append(slices.Clone(r.Header), Field{name, value})
	return r
}

// without takes a header out.
func (r Request) without(name string) Request {
	r.Header = slices.DeleteFunc(slices.Clone(r.Header), func(f Field) bool { return f.Name == name })
	return r
}

func (r Request) noToken() Request { return r.without("x-runner-token") }
func (r Request) contentType(value string) Request {
	return r.without("content-type").with("content-type", value)
}

// result is the answer to a task that returns this JSON value.
func result(value string) Want {
	return Want{Status: http.StatusOK, Body: `{"ok":true,"result":` + value + `}`}
}

// ok is the answer to an event.
func ok() Want { return Want{Status: http.StatusOK, Body: `{"ok":true}`} }

// failure is the answer to what went wrong. Fields are more members of the error,
// JSON without the braces.
func failure(status int, code, message string, fields ...string) Want {
	members := append([]string{`"message":"` + message + `"`, `"code":"` + code + `"`}, fields...)
	return Want{Status: status, Body: `{"ok":false,"error":{` + strings.Join(members, ",") + `}}`}
}

func notFound() Want { return failure(http.StatusNotFound, "NOT_FOUND", "Not Found") }
func unauthorized() Want {
	return failure(http.StatusUnauthorized, "UNAUTHORIZED", "Unauthorized")
}
func badJSON() Want {
	return failure(http.StatusBadRequest, "INVALID_JSON", "Invalid JSON body")
}
func internal() Want {
	return failure(http.StatusInternalServerError, "INTERNAL_ERROR", "Internal Error")
}

func forbidden(message string) Want {
	return failure(http.StatusForbidden, "FORBIDDEN", message)
}

func tooLarge() Want {
	return failure(http.StatusRequestEntityTooLarge, "PAYLOAD_TOO_LARGE", "Payload too large")
}

// wrongMethod is the answer to a method that the path does not take.
func wrongMethod(allow string) Want {
	return failure(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Method Not Allowed").with("Allow", allow)
}

// outside is the answer to a path that is not the protocol's.
func outside() Want {
	w := notFound()
	w.OutsideBase = true
	return w
}

// preflight is the answer to an OPTIONS request.
func preflight() Want {
	return Want{Status: http.StatusNoContent, Preflight: true}.with("Access-Control-Allow-Methods", "POST, OPTIONS")
}

// with adds a header, whose value "" means that it must be absent.
func (w Want) with(name, value string) Want {
	header := map[string]string{name: value}
	for n, v := range w.Header {
		if n != name {
			header[n] = v
		}
	}
	w.Header = header
	return w
}

func (w Want) id(requestID string) Want { w.RequestID = requestID; return w }
