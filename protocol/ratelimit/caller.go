package ratelimit

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Identity is a Key: callers are told apart by the JSON of their identity, what the
// configured Authenticate function has returned. Equal identities have equal keys, pointers
// or not; what encoding/json leaves out does not count. All without an identity, whom a
// token or anonymous access let in, are one caller, and so are all whose identity cannot
// be encoded: give those a Key of your own.
func Identity(call *protocol.Call) string {
	text, err := json.Marshal(call.Identity)
	if err != nil {
		return ""
	}
	return string(text)
}

// Address is a Key: callers are told apart by the address of their connection, without
// its port. An IPv6 address counts as its /64 network, which one caller has all of. Behind
// a proxy all have the proxy's: see Forwarded.
func Address(call *protocol.Call) string {
	address, ok := addressOf(call.RemoteAddr)
	if !ok {
		return call.RemoteAddr
	}
	return network(address)
}

// Forwarded returns a Key for a server behind proxies: callers are told apart by the
// address that the proxies have seen them at. A header, X-Forwarded-For for example, is a
// list to which each proxy appends whom it was called by. It is read from its end, as far
// as each address on the way is that of a trusted proxy: what stands before is what a
// caller made up. The header of a connection that is no trusted proxy's is not read at
// all. It is Address for calls without an address in the header.
//
// The networks of the proxies are prefixes such as 10.0.0.0/8; an IPv4 one also stands for
// its addresses written as IPv6.
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
				break // not from a proxy that keeps to the list
			}
			caller, list = before, list[:len(list)-1]
		}
		return network(caller)
	}
}

// addressOf reads an address with a port or without, in brackets or not.
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

// network returns what one caller has of addresses.
func network(address netip.Addr) string {
	if address.Is4() {
		return address.String()
	}
	prefix, _ := address.Prefix(64)
	return prefix.String()
}
