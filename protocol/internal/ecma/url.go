package ecma

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

var (
	scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)
	domain = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$`)
	ipv4   = regexp.MustCompile(`^(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])(\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])){3}$`)
	// number matches the last part of an address that would be read as an IPv4 address.
	number = regexp.MustCompile(`(^|\.)(\d+|0[xX][0-9A-Fa-f]*)\.?$`)
)

// URL reports whether text is an absolute URL in the form that the href of a URL object has. The
// constructor of URL accepts more, since it repairs its input. Here domain names must be in ASCII,
// names in Punycode have common alphabets only, addresses have their usual form, and nothing is
// trimmed.
func URL(text string) bool {
	if strings.ContainsAny(text, "\t\n\r") || text != strings.TrimFunc(text, func(r rune) bool { return r <= ' ' }) {
		return false
	}
	name, rest, found := strings.Cut(text, ":")
	if !found || !scheme.MatchString(name) {
		return false
	}
	special := false
	switch strings.ToLower(name) {
	case "file":
		return strings.HasPrefix(rest, "///")
	case "http", "https", "ws", "wss", "ftp":
		special = true
	}
	rest, hasAuthority := strings.CutPrefix(rest, "//")
	if !hasAuthority {
		return !special
	}
	ends := "/?#"
	if special {
		ends += `\`
	}
	authority := rest
	if i := strings.IndexAny(rest, ends); i >= 0 {
		authority = rest[:i]
	}
	if authority == "" {
		return !special
	}
	return host(authority[strings.LastIndexByte(authority, '@')+1:])
}

// host reports whether text is a host with or without a port.
func host(text string) bool {
	if inside, isAddress := strings.CutPrefix(text, "["); isAddress {
		address, rest, closed := strings.Cut(inside, "]")
		ip, err := netip.ParseAddr(address)
		return closed && err == nil && ip.Is6() && ip.Zone() == "" && (rest == "" || rest[0] == ':' && port(rest[1:]))
	}
	name, digits, hasPort := strings.Cut(text, ":")
	if hasPort && !port(digits) || !domain.MatchString(name) || !internationalized(name) {
		return false
	}
	return !number.MatchString(name) || ipv4.MatchString(name)
}

func port(digits string) bool {
	if digits == "" {
		return true
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return err == nil && n <= 65535
}
