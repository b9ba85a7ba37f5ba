package protocol

import (
	"regexp"
	"time"
)

// CORS configures cross-origin access. Package serve has the rules, which are the rules of
// Runner's own server. The zero value sends "Access-Control-Allow-Origin: *". If several of
// Origin, Origins, Pattern and OriginFunc are set, the last one in this order counts.
type CORS struct {
	// Origin is sent unchanged, for every request.
	Origin string
	// Origins lists the allowed origins, compared exactly.
	Origins []string
	// Pattern matches the allowed origins. Anchor it: "^https://(.+\\.)?example\\.com$".
	Pattern *regexp.Regexp
	// OriginFunc gets the request's Origin ("" if none) and returns the value to send,
	// "" for none. It must be safe for concurrent use.
	OriginFunc func(origin string) string
	// Credentials allows cookies and other credentials. It needs one of the four fields above:
	// without one, no origin is allowed.
	Credentials bool
	// Methods are the methods that a preflight allows. Default: POST, OPTIONS.
	Methods []string
	// Headers are the headers that a preflight allows. Default: the headers that it requests.
	Headers []string
	// ExposedHeaders may be read by scripts. Default: none.
	ExposedHeaders []string
	// MaxAge is how long a browser may keep a preflight's answer, in whole seconds. Zero
	// sends nothing, a negative value forbids keeping it.
	MaxAge time.Duration
	// OmitVary leaves out "Vary: Origin", which otherwise goes with every answer that
	// depends on the origin.
	OmitVary bool
}
