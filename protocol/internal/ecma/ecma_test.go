package ecma

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParseDate(t *testing.T) {
	for text, want := range map[string]string{
		"2024": "2024-01-01T00:00:00.000Z", "2024-02": "2024-02-01T00:00:00.000Z", "2024-02-29": "2024-02-29T00:00:00.000Z",
		"2024-01-02T03:04Z": "2024-01-02T03:04:00.000Z", "2024-01-02T03:04:05Z": "2024-01-02T03:04:05.000Z",
		"2024-01-02T03:04:05.6789Z": "2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05.6+01:30": "2024-01-02T01:34:05.600Z",
		"2024-01-02T03:04-23:59": "2024-01-03T03:03:00.000Z", "+012345-01-02": "+012345-01-02T00:00:00.000Z",
		"-000001-01-01": "-000001-01-01T00:00:00.000Z", "0000-12-31T23:59:59.999Z": "0000-12-31T23:59:59.999Z",
		"+275760-09-13T00:00Z": "+275760-09-13T00:00:00.000Z", "-271821-04-20": "-271821-04-20T00:00:00.000Z",
	} {
		got, ok := ParseDate(text)
		if assert.True(t, ok, text) {
			formatted, ok := FormatDate(got)
			assert.True(t, ok)
			assert.Equal(t, want, formatted, text)
		}
	}
	for _, text := range []string{
		"", "x", "20240102", "2024-1-2", "2024-13", "2024-00", "2024-02-30", "2023-02-29", "2024-01-32", "2024-01-02T", "2024-01-02T03", "2024-01-02T24:00Z",
		"2024-01-02T03:60Z", "2024-01-02T03:04:60Z", "2024-01-02T03:04:05.Z", "2024-01-02T03:04:05,6Z", "2024-01-02T03:04+0100", "2024-01-02T03:04+24:00",
		"2024-01-02T03:04z", "2024-01-02 03:04Z", "2024T03:04Z", "-000000-01-01", "+275760-09-13T00:00:00.001Z", "2024-01-02T03:04ZZ", "Jan 2 2024",
	} {
		_, ok := ParseDate(text)
		assert.False(t, ok, text)
	}
}

func TestParseDateInThisZone(t *testing.T) {
	got, ok := ParseDate("2024-01-02T03:04:05")
	assert.True(t, ok)
	assert.True(t, time.Date(2024, 1, 2, 3, 4, 5, 0, time.Local).Equal(got))
}

func TestFormatDateRefusesWhatNoDateHolds(t *testing.T) {
	for _, at := range []time.Time{time.Date(275760, 9, 13, 0, 0, 0, 1e6, time.UTC), time.Date(-300000, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(1<<62, 0), time.Unix(-1<<62, 0)} {
		_, ok := FormatDate(at)
		assert.False(t, ok, at)
	}
}

func TestTrimSpace(t *testing.T) {
	assert.Equal(t, "1 2", TrimSpace("\ufeff\u00a0\t\v1 2\u2003\u3000\n"))
	assert.Equal(t, "\u0085", TrimSpace("\u0085"), "which Go would trim")
}

func TestSafe(t *testing.T) {
	for _, pattern := range []string{"", "a+b*", "(a|b)+", "(?:a+)b", "[(a+)+]", `\(a+\)+`, "(a)(b)+", ")+", "(a{,})+", "(?<n>a|b)*", "(?:a|[|a])+", "((a|ab)c)+"} {
		assert.True(t, Safe(pattern), pattern)
	}
	for _, pattern := range []string{"(a+)+", "(a+)?", "(a{1,2}){3}", "(a|ab)+", "(|a)+", "(a|)*", "((a*))+", "(?:x|xy){2,}", "(?<n>a|a)*", "(?!a|ab)+", "((a+)b)*"} {
		assert.False(t, Safe(pattern), pattern)
	}
}

func TestRegExp(t *testing.T) {
	for _, c := range []struct {
		pattern, flags string
		want           bool
	}{
		{"", "", true}, {"a|b||", "dgimsuy", true}, {"a", "gg", false}, {"a", "uv", false}, {"a", "x", false},
		{"(?<y>\\d{4})\\k<y>", "", true}, {"\\k<y>", "", true}, {"\\k<y>(?<x>)", "", false}, {"\\k", "u", false}, {"[\\k](?<x>)", "", false},
		{"(?<a>)(?<a>)", "", false}, {"(?<1>)", "", false}, {"(?<é>)", "", false}, {"(?i:a)", "", false}, {"(?", "", false},
		{"^*", "", false}, {"\\b+", "", false}, {"(?=a)*", "", true}, {"(?=a)*", "u", false}, {"(?<=a)*", "", false},
		{"a{2,1}", "", false}, {"a{1", "", true}, {"a{1", "u", false}, {"{1}", "", false}, {"{,1}", "", true}, {"a{9999999999,1}", "", false}, {"a**", "", false}, {"a+?", "", true},
		{"]", "", true}, {"]", "u", false}, {"}", "u", false}, {"(", "", false}, {")", "", false}, {"[", "", false}, {"\\", "", false},
		{"[b-a]", "", false}, {"[a-\\d]", "", true}, {"[a-\\d]", "u", false}, {"[😀-😂]", "", false}, {"[😀-😂]", "u", true}, {"[]", "", true}, {"[^]]", "", true}, {"[\\b-a]", "", true},
		{"\\u{1F600}", "u", true}, {"\\u{110000}", "u", false}, {"\\u{}", "u", false}, {"\\u12", "u", false}, {"\\u12", "", true}, {"\\ud83d\\ude00", "u", true}, {"\\x4", "u", false},
		{"\\p{L}\\P{Script=Greek}\\p{gc=Lu}\\p{Emoji}", "u", true}, {"\\p{X}", "u", false}, {"\\p{L", "u", false}, {"\\pL", "u", false}, {"\\p", "", true},
		{"\\1", "", true}, {"\\1", "u", false}, {"(a)\\1", "u", true}, {"\\0", "u", true}, {"\\00", "u", false}, {"[\\1]", "u", false}, {"\\8", "", true},
		{"\\cA", "u", true}, {"\\c", "u", false}, {"\\c", "", true}, {"[\\c_]", "", true}, {"\\-", "u", false}, {"[\\-]", "u", true}, {"\\/", "u", true},
		{"[a-z_]", "v", true}, {"[a--b]", "v", false}, {"[[a]]", "v", false}, {"[(]", "v", false},
		{strings.Repeat("a", 1024), "", true}, {strings.Repeat("a", 1025), "", false}, {strings.Repeat("😀", 513), "u", false}, {strings.Repeat("(", 1024), "", false},
	} {
		assert.Equal(t, c.want, RegExp(c.pattern, c.flags), "/%s/%s", c.pattern, c.flags)
	}
}

func TestURL(t *testing.T) {
	for _, text := range []string{
		"http://h", "https://user:p@ss@example.com:8080/a?b#c", "http://127.0.0.1/", "http://[::1]:80/x", "http://a.b.c./", "http://h:/", `http://h\x`,
		"file:///etc/hosts", "data:,x", "mailto:a@b", "x://", "x:///y", "postgres://u:p@db/x", "HTTP://H/", "https://xn--pklad-zsa96e.cz/", "https://xn--bcher-kva.example/",
		"http://xn--n8jub9gk.jp/", "http://1.2.3.com/",
	} {
		assert.True(t, URL(text), text)
	}
	for _, text := range []string{
		"", "h", "/x", "//h", "http:", "http://", "http:///x", "http:h", "http://u@/", "http://h:65536/", "http://h:x/", "http://a b/", "http://h%41/", "http://é/", "http://[::1", "http://[x]/",
		"http://[::1%eth0]/", "http://1.2.3/", "http://1.2.3.256/", "http://0x7f.1/", "http://1.2.3.04/", " http://h", "http://h\n", "ht\ttp://h", "1http://h", "file://host/x", "x://:80", "http://.h/", "http://a..b/",
		"http://xn--/", "http://xn--a/", "http://xn--zsa-pklad96e.cz/", "http://xn--99999999999/", "http://xn--ls8h.la/",
	} {
		assert.False(t, URL(text), text)
	}
}

func FuzzRegExp(f *testing.F) {
	for _, pattern := range []string{"(?<n>a|b)*\\k<n>", "[\\u{1F600}-\\x41]{2,3}?", "\\p{Script=Greek}\\cA\\08", "(?<=a(?!b))[^]"} {
		f.Add(pattern, "u")
		f.Add(pattern, "")
	}
	f.Fuzz(func(_ *testing.T, pattern, flags string) {
		RegExp(pattern, flags)
		Safe(pattern)
		URL(pattern)
		ParseDate(pattern)
	})
}
