package ratelimit

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/bluelibs/go-tunnel/protocol"
)

func TestIdentity(t *testing.T) {
	type team struct{ Name string }
	type user struct {
		ID   int
		Team *team
	}
	key := func(identity any) string { return Identity(&protocol.Call{Identity: identity}) }
	assert.Equal(t, key(&user{1, &team{"a"}}), key(&user{1, &team{"a"}}), "the same caller, read twice")
	assert.NotEqual(t, key(&user{1, &team{"a"}}), key(&user{1, &team{"b"}}))
	assert.Equal(t, key(map[string]any{"a": 1, "b": 2}), key(map[string]any{"b": 2, "a": 1}))
	assert.NotEqual(t, key("1"), key(1))
	assert.Equal(t, "null", key(nil))
	assert.Empty(t, key(func() {}))
}

func TestAddress(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:1234":           "192.0.2.1",
		"192.0.2.1:5678":           "192.0.2.1",
		"[::ffff:192.0.2.1]:1":     "192.0.2.1",
		"[2001:db8:1:2:3::4]:1234": "2001:db8:1:2::/64",
		"[2001:db8:1:2:9::9]:1":    "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1":         "fe80::/64",
		"192.0.2.1":                "192.0.2.1",
		"@":                        "@", // of a Unix socket
		"":                         "",
	} {
		assert.Equal(t, want, Address(&protocol.Call{RemoteAddr: remote}), remote)
	}
}

func TestForwarded(t *testing.T) {
	key := Forwarded("x-forwarded-for", netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"))
	const proxy = "10.0.0.1:1"
	for name, c := range map[string]struct {
		remote string
		header []string
		want   string
	}{
		"a proxy":              {proxy, []string{"192.0.2.7"}, "192.0.2.7"},
		"made up in front":     {proxy, []string{"198.51.100.1, 192.0.2.7"}, "192.0.2.7"},
		"two proxies":          {proxy, []string{"198.51.100.1, 192.0.2.7, 10.9.9.9"}, "192.0.2.7"},
		"two headers":          {proxy, []string{"198.51.100.1", "192.0.2.7"}, "192.0.2.7"},
		"no proxy":             {"192.0.2.9:1", []string{"192.0.2.7"}, "192.0.2.9"},
		"no header":            {proxy, nil, "10.0.0.1"},
		"nothing in it":        {proxy, []string{""}, "10.0.0.1"},
		"no address":           {proxy, []string{"192.0.2.7, unknown"}, "10.0.0.1"},
		"proxies only":         {proxy, []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1"},
		"with a port":          {proxy, []string{"192.0.2.7:8080"}, "192.0.2.7"},
		"IPv6":                 {"[fd00::1]:1", []string{"[2001:db8::5]:99"}, "2001:db8::/64"},
		"IPv6 in brackets":     {"[fd00::1]:1", []string{"[2001:db8::5]"}, "2001:db8::/64"},
		"a proxy as IPv6":      {"[::ffff:10.0.0.1]:1", []string{"::ffff:192.0.2.7"}, "192.0.2.7"},
		"from no address":      {"@", []string{"192.0.2.7"}, "@"},
		"an address with text": {proxy, []string{"192.0.2.7x"}, "10.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			call := &protocol.Call{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.header}}
			assert.Equal(t, c.want, key(call))
		})
	}
}
