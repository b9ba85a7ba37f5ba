package ratelimit

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Identity is a Key: it distinguishes callers by the JSON of their identity, the result of the
// configured Authenticate function. Equal identities have equal keys, pointers or not; fields that
// encoding/json omits do not count. All callers without an identity, with a token or anonymous,
// count as one caller, and so do all whose identity cannot be encoded: for those write another
// Key.
func Identity(call *protocol.Call) string {
	text, err := json.Marshal(call.Identity)
	if err != nil {
		return ""
	}
	return string(text)
}

// Address is a Key: it distinguishes callers by the address of their connection, without its port.
// An IPv6 address counts as its /64 network, since one caller has all of that. All callers behind
// a proxy have the proxy's address: see Forwarded.
func Address(call *protocol.Call) string {
	address, ok := addressOf(call.RemoteAddr)
	if !ok {
		return call.RemoteAddr
	}
	return network(address)
}

// Forwarded returns a Key for a server behind proxies: it distinguishes callers by the address
// from which they have called the first proxy. Header, X-Forwarded-For for example, is a list to
// which each proxy appends the address of its caller. It is read from its end, as long as the
// addresses are those of trusted proxies: a caller can forge everything before. If the connection
// does not come from a trusted proxy, the header is ignored. Without an address in the header the
// key is that of Address.
//
// The networks of the proxies are prefixes such as 10.0.0.0/8. A prefix of IPv4 also matches its
// addresses in IPv6 form.
func Forwarded(header string, proxies ...netip.Prefix) func(*protocol.Call) string {
	trusted := func(address netip.Addr) bool {
		for _, proxy := range proxies {
			if proxy.Contains(address) {
				return true
			}
		}
		return false
	}
	header = http.CanonicalHeaderKey(header)
	return func(call *protocol.Call) string {
		caller, ok := addressOf(call.RemoteAddr)
		if !ok {
			return call.RemoteAddr
		}
		list := strings.Split(strings.Join(call.Header[header], ","), ",")
		for len(list) > 0 && trusted(caller) {
			before, ok := addressOf(strings.TrimSpace(list[len(list)-1]))
			if !ok {
				break // no proxy appends this
			}
			caller, list = before, list[:len(list)-1]
		}
		return network(caller)
	}
}

// addressOf parses an address with or without a port and brackets.
func addressOf(text string) (netip.Addr, bool) {
	if whole, err := netip.ParseAddrPort(text); err == nil {
		return whole.Addr().Unmap().WithZone(""), true
	}
	if inside, ok := strings.CutPrefix(text, "["); ok {
		text, _ = strings.CutSuffix(inside, "]")
	}
	address, err := netip.ParseAddr(text)
	return address.Unmap().WithZone(""), err == nil
}

// network returns the network of one caller's addresses.
func network(address netip.Addr) string {
	if address.Is4() {
		return address.String()
	}
	prefix, _ := address.Prefix(64)
	return prefix.String()
}
