package format

import (
	"regexp"
	"strings"
)

// These are the parts of RFC 3986, with the additions of RFC 3987.
const (
	ascii  = `A-Za-z0-9\-._~!$&'()*+,;=`
	beyond = `\x{a0}-\x{d7ff}\x{f900}-\x{fdcf}\x{fdf0}-\x{ffef}\x{10000}-\x{1fffd}\x{20000}-\x{2fffd}\x{30000}-\x{3fffd}\x{40000}-\x{4fffd}` +
		`\x{50000}-\x{5fffd}\x{60000}-\x{6fffd}\x{70000}-\x{7fffd}\x{80000}-\x{8fffd}\x{90000}-\x{9fffd}\x{a0000}-\x{afffd}` +
		`\x{b0000}-\x{bfffd}\x{c0000}-\x{cfffd}\x{d0000}-\x{dfffd}\x{e1000}-\x{efffd}`
	private = `\x{e000}-\x{f8ff}\x{f0000}-\x{ffffd}\x{100000}-\x{10fffd}`
	escaped = `%[0-9A-Fa-f]{2}`
)

// parts are regular expressions for the characters of a URI, or an IRI.
type parts struct{ user, host, path, query, fragment *regexp.Regexp }

func newParts(more, inQuery string) parts {
	of := func(characters string) *regexp.Regexp {
		return regexp.MustCompile(`^(?:[` + ascii + characters + `]|` + escaped + `)*$`)
	}
	return parts{
		user: of(more + `:`), host: of(more), path: of(more + `:@/`),
		query: of(more + inQuery + `:@/?`), fragment: of(more + `:@/?`),
	}
}

var (
	uriParts = newParts("", "")
	iriParts = newParts(beyond, private)
	scheme   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.\-]*$`)
	future   = regexp.MustCompile(`^[vV][0-9A-Fa-f]+\.[` + ascii + `:]+$`)
	port     = regexp.MustCompile(`^[0-9]*$`)
)

// uri reports whether a string is a URI, or an IRI. It needs a scheme unless relative is true.
func uri(s string, international, relative bool) bool {
	allowed := &uriParts
	if international {
		allowed = &iriParts
	}
	s, fragment, _ := strings.Cut(s, "#")
	s, query, _ := strings.Cut(s, "?")
	if !allowed.fragment.MatchString(fragment) || !allowed.query.MatchString(query) {
		return false
	}
	name, rest, found := strings.Cut(s, ":")
	if found = found && scheme.MatchString(name); found {
		s = rest
	} else if !relative {
		return false
	}
	if rest, has := strings.CutPrefix(s, "//"); has {
		end := strings.IndexByte(rest, '/')
		if end < 0 {
			end = len(rest)
		}
		return authority(rest[:end], allowed) && allowed.path.MatchString(rest[end:])
	}
	first, _, _ := strings.Cut(s, "/")
	return allowed.path.MatchString(s) && (found || !strings.Contains(first, ":"))
}

func authority(s string, allowed *parts) bool {
	if at := strings.IndexByte(s, '@'); at >= 0 {
		if !allowed.user.MatchString(s[:at]) {
			return false
		}
		s = s[at+1:]
	}
	if rest, literal := strings.CutPrefix(s, "["); literal {
		address, behind, closed := strings.Cut(rest, "]")
		digits, has := strings.CutPrefix(behind, ":")
		return closed && (ipv6(address) || future.MatchString(address)) && (behind == "" || has && port.MatchString(digits))
	}
	host, digits, _ := strings.Cut(s, ":")
	return allowed.host.MatchString(host) && port.MatchString(digits)
}
