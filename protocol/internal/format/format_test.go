package format

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// cases are strings that are in a format, and strings that are not.
var cases = map[string]struct{ is, no []string }{
	"duration": {
		[]string{"P1Y", "P1Y2M", "P1Y2M3D", "P4W", "PT1H", "PT1H2M", "PT36H", "P1DT12H", "PT2M3S", "P0D"},
		[]string{"", "P", "PT", "P1Y3D", "PT1H3S", "P1DT", "P1W1D", "P1S", "1Y", "P-1D", "P1.5D"},
	},
	"email": {
		[]string{"a@b", "joe.bloggs@example.com", `"joe bloggs"@example.com`, "a@[127.0.0.1]", "a@[IPv6:::1]", "te~st@example.com"},
		[]string{"", "a", "@b", ".a@b", "a.@b", "a..b@b", "a@", "a@b@c", "a@-b", "a@[127.0.0.300]", "a b@c", "é@b", strings.Repeat("a", 65) + "@b"},
	},
	"idn-email":    {[]string{"실례@실례.테스트", "a@b"}, []string{"", "a", "@b", "a＠b", "é@"}},
	"hostname":     {[]string{"a", "www.example.com", "xn--4gbwdl.xn--wgbh1c", "1host", "a-b"}, []string{"", ".", "a.", ".a", "-a", "a-", "a_b", "a..b", "xn--X", "ab--cd", "ä", strings.Repeat("a", 64)}},
	"idn-hostname": {[]string{"ä.de", "a", "l·l", "実例.com", "a。b"}, []string{"", "〮한국어", "a·l", "α͵b", "-ä", "ä-", "・", "٠۰", "."}},
	"ipv4":         {[]string{"127.0.0.1", "0.0.0.0", "255.255.255.255"}, []string{"", "1.2.3", "01.2.3.4", "256.1.1.1", "+1.2.3.4", "1.2.3.4.5", "1.2.3.٤"}},
	"uri": {
		[]string{"http://a", "http://a:80/b?c#d", "urn:a:b", "mailto:a@b", "http://[::1]:8/", "http://[v1.a]/", "a:", "http://a%20b/%7e", "file:///x"},
		[]string{"", "//a", "/a", "a", ":a", "1a:b", "http://a b", `http://a/"`, "http://a/<>", `a:\b`, "http://a/%zz", "http://a:x/", "http://[::1", "http://é", "http://a@b@c", "http://a/[b]", "http://[::1%eth0]/"},
	},
	"uri-reference": {[]string{"", "/a", "a", "//a/b", "#a", "?a", "a/b:c", "http://a"}, []string{"é", `\a`, "a b", `"`, "a:b c", "1:2", "#a#b"}},
	"iri":           {[]string{"http://é/日本?x#y", "http://a"}, []string{"", "/é", "http://é b", "http://\ue000"}},
	"iri-reference": {[]string{"é", "/日本", ""}, []string{`\é`, "é é"}},
	"uri-template":  {[]string{"", "http://a/{b}/{c,d}", "{+x}", "{#x}", "{/a,b:3}", "{x*}", "it's", "{a.b}"}, []string{"{", "}", "{a", "a}", "{}", "{a b}", "{a,}", "{a:0}", "{a:10000}", "{a..b}", "a b", "{a=b}", "{a{b}}"}},
}

func TestFormats(t *testing.T) {
	for name := range Formats {
		assert.Contains(t, cases, name)
	}
	for name, c := range cases {
		for _, s := range c.is {
			assert.True(t, Formats[name](s), "%s %q", name, s)
		}
		for _, s := range c.no {
			assert.False(t, Formats[name](s), "%s %q", name, s)
		}
	}
}

func TestUsual(t *testing.T) {
	for name, c := range map[string]struct{ is, no []string }{
		"time":      {[]string{"12:30", "12:30:01Z", "12:30:01.5+01:00"}, []string{"", "24:00", "12", "12:60"}},
		"date-time": {[]string{"2024-01-02T03:04", "2024-01-02 03:04:05Z", "2024-01-02T03:04:05.678+0100"}, []string{"", "2024-01-02", "now", "2024-01-02T25:00", "2024-02-30T00:00:00Z"}},
		"email":     {[]string{"a@b.de", "a.@b", "joe@example.com"}, []string{"", "a", "a@", "a b@c", "a@b..c"}},
		"hostname":  {[]string{"ab--cd.example", "a"}, []string{"", "-a", "a_b", "ä"}},
		"ipv6":      {[]string{"::1", "fe80::1%eth0"}, []string{"", "1.2.3.4", ":::"}},
		"uri":       {[]string{"http://a", " http://é b ", "mailto:a", "https:a"}, []string{"", "a", "/a", "http://", "not a url", "1:2"}},
	} {
		for _, s := range c.is {
			assert.True(t, Usual[name](s), "%s %q", name, s)
		}
		for _, s := range c.no {
			assert.False(t, Usual[name](s), "%s %q", name, s)
		}
	}
}

func TestValibot(t *testing.T) {
	for name, c := range map[string]struct{ is, no []string }{
		"date":      {[]string{"2024-02-29", "2023-02-30"}, []string{"", "2023-13-01", "2023-1-1", "2023-01-32", "x2023-01-01"}},
		"date-time": {[]string{"2024-01-02T03:04", "2024-02-30T00:00:00Z"}, []string{"", "2024-01-02", "2024-01-32T00:00:00Z"}},
	} {
		for _, s := range c.is {
			assert.True(t, Valibot[name](s), "%s %q", name, s)
		}
		for _, s := range c.no {
			assert.False(t, Valibot[name](s), "%s %q", name, s)
		}
	}
}

func FuzzFormats(f *testing.F) {
	for _, c := range cases {
		for _, s := range append(c.is, c.no...) {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, check := range Formats {
			check(s)
		}
		for name, check := range Usual {
			// What is usual takes what is standard, but for what only the standard knows.
			if standard := Formats[name]; standard != nil && standard(s) && !check(s) && name != "uri" {
				t.Errorf("%s %q", name, s)
			}
		}
	})
}
