package serve

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// The rules of CORS are Runner's, not the rules of a general CORS package: the header is
// sent without an Origin too, preflights need no Origin, and a refused origin still gets
// its answer, which its browser then hides.

// setCORS sets the headers of every answer to a request with the header request.
func setCORS(c *protocol.CORS, answer, request http.Header) {
	allowed, varies := allowedOrigin(c, request)
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

// setExposed sets the header of every answer except a preflight's.
func setExposed(c *protocol.CORS, answer http.Header) {
	if len(c.ExposedHeaders) > 0 {
		answer.Set("Access-Control-Expose-Headers", strings.Join(c.ExposedHeaders, ", "))
	}
}

// setPreflight sets the headers that only a preflight's answer has.
func setPreflight(c *protocol.CORS, answer, request http.Header) {
	methods := c.Methods
	if len(methods) == 0 {
		methods = []string{http.MethodPost, http.MethodOptions}
	}
	answer.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	headers := strings.Join(c.Headers, ", ")
	if headers == "" {
		headers = protocol.CombinedHeader(request, "Access-Control-Request-Headers")
	}
	if headers != "" {
		answer.Set("Access-Control-Allow-Headers", headers)
	}
	if c.MaxAge != 0 {
		answer.Set("Access-Control-Max-Age", strconv.FormatInt(max(0, int64(c.MaxAge/time.Second)), 10))
	}
}

// allowedOrigin returns the value of Access-Control-Allow-Origin, "" for none, and whether
// it depends on the request.
func allowedOrigin(c *protocol.CORS, request http.Header) (allowed string, varies bool) {
	origin := protocol.CombinedHeader(request, "Origin")
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
