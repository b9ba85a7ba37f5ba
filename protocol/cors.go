package protocol

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS configures cross-origin access, with the answers of Runner's own server. Its
// zero value sends "Access-Control-Allow-Origin: *". Of Origin, Origins, Pattern and
// OriginFunc the last one set, in this order, counts.
//
// The rules are Runner's and not those of a general CORS package: the header is
// sent without an Origin too, preflights need no Origin, and a refused origin still
// gets its answer, which its browser then hides.
type CORS struct {
	// Origin is sent as it is, whoever asks.
	Origin string
	// Origins lists the allowed origins, compared exactly.
	Origins []string
	// Pattern matches the allowed origins. Anchor it: "^https://(.+\\.)?example\\.com$".
	Pattern *regexp.Regexp
	// OriginFunc gets the request's Origin ("" if none) and returns the value to send,
	// "" for none. It must be safe for concurrent use.
	OriginFunc func(origin string) string
	// Credentials allows cookies and the like. It needs one of the four fields above:
	// without one, no origin is allowed any more.
	Credentials bool
	// Methods is what a preflight allows. Default: POST, OPTIONS.
	Methods []string
	// Headers is what a preflight allows. Default: whatever it asks for.
	Headers []string
	// ExposedHeaders may be read by scripts. Default: none.
	ExposedHeaders []string
	// MaxAge is how long a browser may keep a preflight's answer, in whole seconds. Zero
	// sends nothing, a negative one forbids keeping it.
	MaxAge time.Duration
	// OmitVary leaves out "Vary: Origin", which otherwise goes with every answer that
	// depends on the origin.
	OmitVary bool
}

// SetHeaders sets the headers that go with every answer to a request with the
// header request.
func (c *CORS) SetHeaders(answer, request http.Header) {
	allowed, varies := c.allow(request)
	if allowed != "" {
		answer["Access-Control-Allow-Origin"] = []string{allowed}
	}
	if varies && !c.OmitVary {
		answer["Vary"] = append(answer["Vary"], "Origin")
	}
	if c.Credentials {
		answer.Set("Access-Control-Allow-Credentials", "true")
	}
}

// SetExposed sets the header that goes with every answer except a preflight's.
func (c *CORS) SetExposed(answer http.Header) {
	if len(c.ExposedHeaders) > 0 {
		answer.Set("Access-Control-Expose-Headers", strings.Join(c.ExposedHeaders, ", "))
	}
}

// SetPreflight sets what only a preflight is answered with.
func (c *CORS) SetPreflight(answer, request http.Header) {
	methods := c.Methods
	if len(methods) == 0 {
		methods = []string{http.MethodPost, http.MethodOptions}
	}
	answer.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	headers := strings.Join(c.Headers, ", ")
	if headers == "" {
		headers = CombinedHeader(request, "Access-Control-Request-Headers")
	}
	if headers != "" {
		answer.Set("Access-Control-Allow-Headers", headers)
	}
	if c.MaxAge != 0 {
		answer.Set("Access-Control-Max-Age", strconv.FormatInt(max(0, int64(c.MaxAge/time.Second)), 10))
	}
}

// allow returns the value for Access-Control-Allow-Origin, "" for none, and whether
// it depends on the request.
func (c *CORS) allow(request http.Header) (allowed string, varies bool) {
	origin := CombinedHeader(request, "Origin")
	matches := false
	switch {
	case c.OriginFunc != nil:
		return c.OriginFunc(origin), true
	case c.Pattern != nil:
		matches = origin != "" && c.Pattern.MatchString(origin)
	case c.Origins != nil:
		matches = slices.Contains(c.Origins, origin)
	case c.Origin != "":
		return c.Origin, false
	case !c.Credentials:
		return "*", false
	}
	if matches {
		return origin, true
	}
	return "", true
}
