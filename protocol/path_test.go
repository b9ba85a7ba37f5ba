package protocol

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseBasePath(t *testing.T) {
	for given, want := range map[string]string{
		"": "/__runner", "/": "", "/__runner": "/__runner", "/__runner/": "/__runner", "__runner": "/__runner",
		"api/v1/": "/api/v1", "/with blank": "/with%20blank", "/é": "/%C3%A9", "/100%": "/100%25",
	} {
		assert.Equal(t, BasePath(want), ParseBasePath(given), "%q", given)
	}
}

// fromRequestLine is the URL that net/http makes of a request target.
func fromRequestLine(t *testing.T, target string) *url.URL {
	u, err := url.ParseRequestURI(target)
	require.NoError(t, err, target)
	return u
}

// URL parsers leave these characters of a path as they are.
func TestBasePathWithRawCharacters(t *testing.T) {
	for _, base := range []string{"/api(v1)", "/it's", "/a!b", "/a*b", "/a[b]", "/a;b=c,d@e:f$g&h+i"} {
		u, err := url.ParseRequestURI(base + "/task/x")
		require.NoError(t, err)
		rest, ok := ParseBasePath(base).Cut(u)
		assert.True(t, ok, base)
		assert.Equal(t, "/task/x", rest)
	}
}

func TestCut(t *testing.T) {
	const outside = "outside"
	for _, c := range []struct{ base, target, want string }{
		{"/b", "/b", ""},
		{"/b", "/b/", ""},
		{"/b", "/b///", ""},
		{"/b", "/b/task/x", "/task/x"},
		{"/b", "/b/task/x/", "/task/x"},
		{"/b", "/b//task//x//", "/task/x"},
		{"/b", "/b/task/a%2Fb", "/task/a%2Fb"},
		{"/b", "/b/task/a%2F%2Fb/", "/task/a%2F%2Fb"},
		{"/b", "/b/task/%2e%2E/x", "/x"},
		{"/b", "/b/task/.%2e/x", "/x"},
		{"/b", "/b/task/%2E/x", "/task/x"},
		{"/b", "/b/task/.", "/task"},
		{"/b", "/b/task/..", ""},
		{"/b", "/b/task/x/../", "/task"},
		{"/b", "/b/task//../x", "/task/x"},
		{"/b", "/b/task/...", "/task/..."},
		{"/b", "/b/task/.x/..y/%2e%2e%2e/%2e%2", "bad"},
		{"/b", "/b/task/.x/..y/%2e%2e%2e/%2ez", "/task/.x/..y/%2e%2e%2e/%2ez"},
		{"/b", "/b/task/%2e%2e%2f", "/task/%2e%2e%2f"},
		{"/b", "/b/..", outside},
		{"/b", "/b/../b/x", "/x"},
		{"/b", "/x/../b/y", "/y"},
		{"/b", "/../../b/y", "/y"},
		{"/b", "/bx", outside},
		{"/b", "/", outside},
		{"/b", "/B/x", outside},
		{"/b", "/%62/x", outside},
		{"/b", "//b/x", outside},
		{"/b", "///b/x", outside},
		{"/b", "/x/..//b/x", outside},
		{"/b", "/.//b/x", outside},
		{"/b", `/b\task\x`, "/task/x"},
		{"/b", `/b/task\..\x`, "/x"},
		{"/b", `/b/task/a%5Cb`, "/task/a%5Cb"},
		{"/b", `/b\task/a%2Fb`, "/task/a%2Fb"},
		{"/b", `/\b/x`, outside},
		{"/b", "/b/x#y", "/x"},
		{"/b", "/b/x#/../..", "/x"},
		{"/b", "/b/x%23y", "/x%23y"},
		{"/b", "/b/x?y=/../..", "/x"},
		{"/b", "http://host/b/x", "/x"},
		{"/b", "*", outside},
		{"/b/c", "/b/c/x", "/x"},
		{"/b/c", "/b//c/x", outside},
		{"/é", "/%C3%A9/x", "/x"},
		{"/with blank", "/with%20blank/x", "/x"},
		{"/", "/", ""},
		{"/", "/x", "/x"},
		{"/", "/x/", "/x"},
		{"/", "//x", outside},
		{"/", "/x//y", "/x/y"},
		{"/", "/..", ""},
	} {
		if c.want == "bad" { // net/http answers such a target by itself
			_, err := url.ParseRequestURI(c.target)
			assert.Error(t, err)
			continue
		}
		rest, ok := ParseBasePath(c.base).Cut(fromRequestLine(t, c.target))
		if c.want == outside {
			assert.False(t, ok, "%s below %s", c.target, c.base)
			continue
		}
		assert.True(t, ok, "%s below %s", c.target, c.base)
		assert.Equal(t, c.want, rest, "%s below %s", c.target, c.base)
	}
}

func TestCutOfAPathWithoutItsRawForm(t *testing.T) {
	rest, ok := ParseBasePath("/b").Cut(&url.URL{Path: "/b/task/odd id%"})
	assert.True(t, ok)
	assert.Equal(t, "/task/odd%20id%25", rest)

	rest, ok = ParseBasePath("/b").Cut(&url.URL{Path: "/b/changed", RawPath: "/b/stale%2F"})
	assert.True(t, ok)
	assert.Equal(t, "/changed", rest, "a RawPath that is not of this Path does not count")
}

func TestUnescapeID(t *testing.T) {
	for escaped, want := range map[string]string{
		"app.tasks.add": "app.tasks.add", "a%2Fb": "a/b", "a/b": "a/b", "a%252Fb": "a%2Fb", "a+b%2B": "a+b+", "%20": " ",
		"%00%09": "\x00\t", "%C3%A9": "é", "é": "é", "%EF%BF%BD": "\ufffd",
	} {
		id, ok := UnescapeID(escaped)
		assert.True(t, ok, escaped)
		assert.Equal(t, want, id)
	}
	for _, escaped := range []string{"", "%", "%2", "%zz", "a%2", "%ff", "%C3", "%ED%A0%80", "\xff"} {
		_, ok := UnescapeID(escaped)
		assert.False(t, ok, "%q", escaped)
	}
}

func TestUnescapeIDUndoesPathEscape(t *testing.T) {
	for _, id := range []string{"app.tasks.add", "app/tasks/odd id%", "..", "é\x00\\?#+", "a//b"} {
		escaped := url.PathEscape(id)
		back, ok := UnescapeID(escaped)
		assert.True(t, ok)
		assert.Equal(t, id, back)
		assert.NotContains(t, escaped, "/", "an id is one segment")
	}
}

func FuzzCut(f *testing.F) {
	for _, seed := range []string{"/b/task/x", "/b//task//../a%2Fb/", `/b\..\b/%2e%2E`, "//b", "/b/x#y", "*", "", "/b/%ff", "http://h/b/./x"} {
		f.Add("/b", seed, seed)
	}
	f.Add("", "/__runner/task/x", "")
	f.Add("/", "/x//y/.", "/x%2Fy")
	f.Fuzz(func(t *testing.T, base, path, rawPath string) {
		b := ParseBasePath(base)
		urls := []*url.URL{{Path: path}, {Path: path, RawPath: rawPath}}
		if u, err := url.ParseRequestURI(path); err == nil {
			urls = append(urls, u)
		}
		for _, u := range urls {
			rest, ok := b.Cut(u)
			if !ok {
				if rest != "" {
					t.Fatalf("%q: not below, but with a rest %q", u, rest)
				}
				continue
			}
			if rest == "" {
				continue
			}
			for i, segment := range strings.Split(rest, "/") {
				plain := strings.ReplaceAll(strings.ToLower(segment), "%2e", ".")
				if (i == 0) != (segment == "") || plain == "." || plain == ".." || strings.ContainsAny(segment, `\#`) {
					t.Fatalf("%#v: %q is not in normal form", u, rest)
				}
			}
			// What is in normal form stays as it is.
			path, err := url.PathUnescape(rest)
			if err != nil {
				t.Fatalf("%#v: %q is not escaped as it should be", u, rest)
			}
			if again, ok := BasePath("").Cut(&url.URL{Path: path, RawPath: rest}); !ok || again != rest {
				t.Fatalf("%#v: %q, and cut again %q", u, rest, again)
			}
		}
	})
}
