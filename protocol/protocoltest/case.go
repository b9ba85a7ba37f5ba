package protocoltest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Setup is a server's configuration for a case, in the terms of the wire. Run fills in the
// defaults before it passes one on.
type Setup struct {
	// BasePath is the base path as a user would configure it. Default:
	// protocol.DefaultBasePath.
	BasePath string

	// Tokens are the accepted tokens. Nil means only Token; an empty list means no tokens.
	Tokens []string
	// TokenHeader is the header of the token. Default: protocol.HeaderToken.
	TokenHeader string
	// Authenticate, if not nil, decides about callers without a valid token: a *protocol.Error is
	// the answer, any other error means 401.
	Authenticate func(*http.Request) (any, error)
	// AllowAnonymous accepts all callers if neither tokens nor Authenticate are configured.
	AllowAnonymous bool

	// AllowList has the tasks and events that may be called. Nil means AllowList(), that of the
	// test application.
	AllowList *protocol.AllowList
	// Closed means that there is no allow-list at all. AllowList is nil then.
	Closed bool
	// DisableDiscovery hides discovery.
	DisableDiscovery bool

	// CORS is the cross-origin configuration. Nil means none.
	CORS *protocol.CORS
	// Limits bound request bodies. The zero value means the protocol's own.
	Limits protocol.Limits
	// NumericErrorCodes selects the older form of errors.
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

// Case is one rule of the wire, with a request that shows it and its answer.
type Case struct {
	// Topic is the part of the wire that the rule is about, a word such as "routing".
	Topic string
	// Name distinguishes the case from others with the same topic.
	Name string
	// Rule is the rule as a sentence. It is printed when the case fails.
	Rule string

	Setup   Setup
	Request Request
	Want    Want

	// HTTP1Only marks a request that a client of HTTP/2 cannot send in this form. It is written by
	// hand to a connection of its own.
	HTTP1Only bool
	// ParallelEvents marks a case for executors that know parallel events.
	ParallelEvents bool
	// Bytes marks a case for executors that accept files and streams.
	Bytes bool
}

// Request is the request of a case.
type Request struct {
	Method string
	// Path is the request target as it is sent: it is neither escaped nor cleaned.
	Path   string
	Header []Field
	Body   []byte
	// Chunked sends the body without announcing its length.
	Chunked bool
}

// Field is one line of a header.
type Field struct{ Name, Value string }

// Want is the answer to a request. Run also checks rules for all answers, which are not repeated
// here: Content-Type and Content-Length, the security headers and the request id, and the absence
// of headers that the protocol does not have.
type Want struct {
	Status int
	// Body is the body to the byte.
	Body string
	// Header has the values of headers. The CORS headers, Vary, Allow and Retry-After must be
	// absent unless Header has them; the default of Access-Control-Allow-Origin is "*".
	Header map[string]string
	// RequestID is the request id of the answer. Empty means a new id.
	RequestID string
	// OutsideBase means that the path does not belong to the protocol, so that the answer has no
	// request id.
	OutsideBase bool
	// Stream is the Content-Type of a body that is a stream. Empty means an envelope.
	Stream string
	// Cut means that the stream breaks off after Body.
	Cut bool
	// Preflight means an answer without a body. It needs neither a request id nor the security
	// headers.
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

// The cases have the text on the wire, and use no constant of package protocol for it: a wrong
// constant would make the cases wrong, too.
const (
	base      = "/__runner"
	addPath   = base + "/task/app.tasks.add"
	echoPath  = base + "/task/app.tasks.echo"
	eventPath = base + "/event/app.events."
	undefined = `{"__type":"Undefined","value":null}`
	addBody   = `{"input":{"a":5,"b":3}}`
)

// send is a request in the form of the protocol's clients.
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

// without removes a header.
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

// failure is the answer for an error. Fields are further members of the error, as JSON without the
// braces.
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

// wrongMethod is the answer for a method that the path does not allow.
func wrongMethod(allow string) Want {
	return failure(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Method Not Allowed").with("Allow", allow)
}

// outside is the answer for a path outside the protocol.
func outside() Want {
	w := notFound()
	w.OutsideBase = true
	return w
}

// preflight is the answer to an OPTIONS request.
func preflight() Want {
	return Want{Status: http.StatusNoContent, Preflight: true}.with("Access-Control-Allow-Methods", "POST, OPTIONS")
}

// with adds a header. The value "" means that it must be absent.
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
