// Package format checks strings for the formats of JSON Schema that need more than a regular
// expression, by the standards that define them.
package format

import (
	"net/netip"
	"regexp"
	"strings"
)

// Format reports whether a string is in a format.
type Format func(string) bool

// Formats has the formats of this package, by name. Do not change it.
var Formats = map[string]Format{
	"duration":      duration.MatchString,
	"email":         func(s string) bool { return email(s, false) },
	"idn-email":     func(s string) bool { return email(s, true) },
	"hostname":      Hostname,
	"idn-hostname":  IDNHostname,
	"ipv4":          IPv4,
	"uri":           func(s string) bool { return uri(s, false, false) },
	"uri-reference": func(s string) bool { return uri(s, false, true) },
	"iri":           func(s string) bool { return uri(s, true, false) },
	"iri-reference": func(s string) bool { return uri(s, true, true) },
	"uri-template":  template,
}

// duration is of RFC 3339, appendix A: units must be consecutive.
var duration = regexp.MustCompile(`^P(?:\d+W|(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)(?:T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))?|T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))$`)

var decimalOctet = `(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`

var ipv4 = regexp.MustCompile(`^` + decimalOctet + `(?:\.` + decimalOctet + `){3}$`)

// IPv4 reports whether a string has four decimal numbers without leading zeros.
func IPv4(s string) bool { return ipv4.MatchString(s) }

func ipv6(s string) bool {
	address, err := netip.ParseAddr(s)
	return err == nil && address.Is6() && address.Zone() == ""
}

// template is of RFC 6570.
func template(s string) bool {
	for s != "" {
		literal, rest, found := strings.Cut(s, "{")
		if !literals.MatchString(literal) {
			return false
		}
		if !found {
			return true
		}
		var expression string
		if expression, s, found = strings.Cut(rest, "}"); !found || !expressions.MatchString(expression) {
			return false
		}
	}
	return true
}

var (
	literals    = regexp.MustCompile(`^(?:[!#$&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~\x{a0}-\x{10ffff}]|%[0-9A-Fa-f]{2})*$`)
	variable    = `(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*(?:\*|:[1-9]\d{0,3})?`
	expressions = regexp.MustCompile(`^[+#./;?&=,!@|]?` + variable + `(?:,` + variable + `)*$`)
)
