package serve

import (
	"net/http"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Request is what is known of one request.
type Request struct {
	// Head is the request. Its body is read from an Exchange only.
	Head *http.Request
	// Answer is the header of the answer.
	Answer http.Header
	// Begun is when the request was received.
	Begun time.Time
	// Endpoint is what the request is for. Policy.Decide sets it.
	Endpoint Endpoint
	// Call is the call of a request for EndpointCall, without a body. Policy.Decide sets it.
	// Every request has its RequestID, if it is below the base path.
	Call protocol.Call

	requestID [1]string // the value of the answer's header, here to save an allocation
}

// Endpoint is what a request is for.
type Endpoint uint8

// The endpoints. EndpointNone stands for all that is refused before its endpoint is known.
const (
	EndpointNone Endpoint = iota
	EndpointPreflight
	EndpointDiscovery
	EndpointCall
)
