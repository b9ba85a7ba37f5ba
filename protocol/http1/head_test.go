package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http/httpguts"
)

const ordinary = "POST /__runner/task/app.tasks.add HTTP/1.1\r\nHost: example.com:7070\r\nx-runner-token: secret\r\n" +
	"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

// with returns the ordinary request with another line in its head.
func with(field string) string {
	return strings.Replace(ordinary, "Content-Type", field+"\r\nContent-Type", 1)
}

func replaced(old, new string) string { return strings.Replace(ordinary, old, new, 1) }

var plainRequests = map[string]string{
	"ordinary":                ordinary,
	"followed by another one": ordinary + ordinary,
	"followed by anything":    ordinary + "\x00\r\n",
	"no body":                 replaced("Content-Length: 2\r\n\r\n{}", "Content-Length: 0\r\n\r\n"),
	"keep-alive":              with("connection: Keep-Alive"),
	"no blank":                with("x:y"),
	"empty value":             with("x:"),
	"empty value, blank":      with("x: "),
	"blanks and colons":       with("user-agent: a b: c"),
	"all of a token":          with("!#$%&'*+-.^_`|~09aZ: 1"),
	"escaped id":              replaced("app.tasks.add", "app%2Ftasks%2Fodd%20id%25"),
	"sub-delims":              replaced("app.tasks.add", "a!$&'()*+,;=:@b"),
	"many cookies in one":     with("Cookie: a=b; c=d"),
	"IPv6":                    replaced("example.com:7070", "[::1]:7070"),
	"body with a head in it":  replaced("Content-Length: 2\r\n\r\n{}", "Content-Length: 20\r\n\r\nPOST / HTTP/1.1\r\n\r\n "),
	"browser": with("Accept: */*\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\nOrigin: http://localhost:3000\r\n" +
		"Referer: http://localhost:3000/\r\nSec-Ch-Ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"\r\nSec-Fetch-Mode: cors\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64)"),
}

var oddRequests = map[string]string{
	"another method":          replaced("POST", "GET"),
	"method in lower case":    replaced("POST", "post"),
	"preface of HTTP/2":       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"TLS":                     "\x16\x03\x01",
	"newline before":          "\r\n" + ordinary,
	"blank before":            " " + ordinary,
	"HTTP/1.0":                replaced("HTTP/1.1", "HTTP/1.0"),
	"HTTP/2.0":                replaced("HTTP/1.1", "HTTP/2.0"),
	"version in lower case":   replaced("HTTP/1.1", "http/1.1"),
	"no version":              replaced(" HTTP/1.1", ""),
	"blank after the version": replaced("HTTP/1.1", "HTTP/1.1 "),
	"two blanks":              replaced("POST /", "POST  /"),
	"blank in the target":     replaced("/task/", "/ta sk/"),
	"tab in the target":       replaced("/task/", "/ta\tsk/"),
	"absolute form":           replaced("/__runner", "http://example.com/__runner"),
	"authority":               replaced("/__runner", "//__runner"),
	"query":                   replaced("app.tasks.add", "app.tasks.add?x=y"),
	"fragment":                replaced("app.tasks.add", "app.tasks.add#x"),
	"backslash":               replaced("/task/", `\task\`),
	"escaped backslash":       replaced("/task/", "/%5Ctask/"),
	"NUL in the target":       replaced("/task/", "/ta\x00sk/"),
	"escaped NUL":             replaced("/task/", "/ta%00sk/"),
	"empty segment":           replaced("/task/", "//task/"),
	"escaped empty segment":   replaced("/task/", "/%2Ftask/"),
	"dot segment":             replaced("/task/", "/./task/"),
	"two dots":                replaced("/task/", "/../task/"),
	"escaped dots":            replaced("/task/", "/%2e%2E/task/"),
	"bad escape":              replaced("/task/", "/%zz/"),
	"half an escape":          replaced("app.tasks.add", "app%"),
	"non-ASCII target":        replaced("/task/", "/täsk/"),
	"no host":                 replaced("Host: example.com:7070\r\n", ""),
	"empty host":              replaced("example.com:7070", ""),
	"two hosts":               with("Host: example.com:7070"),
	"odd host":                replaced("example.com", "example.com/x"),
	"user in the host":        replaced("example.com", "x@example.com"),
	"no length":               replaced("Content-Length: 2\r\n", ""),
	"empty length":            replaced("Content-Length: 2", "Content-Length: "),
	"two lengths":             with("Content-Length: 2"),
	"two different lengths":   with("Content-Length: 3"),
	"lengths in one":          replaced("Content-Length: 2", "Content-Length: 2, 2"),
	"signed length":           replaced("Content-Length: 2", "Content-Length: +2"),
	"negative length":         replaced("Content-Length: 2", "Content-Length: -2"),
	"leading zero":            replaced("Content-Length: 2", "Content-Length: 02"),
	"hexadecimal length":      replaced("Content-Length: 2", "Content-Length: 0x2"),
	"underscore":              replaced("Content-Length: 2", "Content-Length: 1_0"),
	"huge length":             replaced("Content-Length: 2", "Content-Length: 18446744073709551618"),
	"long length":             replaced("Content-Length: 2", "Content-Length: 1000000000"),
	"length with a tab":       replaced("Content-Length: 2", "Content-Length: 2\t"),
	"chunked":                 with("Transfer-Encoding: chunked"),
	"chunked alone":           replaced("Content-Length: 2", "Transfer-Encoding: chunked"),
	"identity":                with("Transfer-Encoding: identity"),
	"odd encoding":            with("transfer-encoding: xchunked"),
	"compressed":              with("Content-Encoding: gzip"),
	"identity content":        with("Content-Encoding: identity"),
	"expect":                  with("Expect: 100-continue"),
	"upgrade":                 with("Upgrade: websocket"),
	"connection: close":       with("Connection: close"),
	"connection: upgrade":     with("Connection: Upgrade"),
	"two options":             with("Connection: keep-alive, x-runner-token"),
	"keep-alive twice":        with("Connection: keep-alive\r\nConnection: keep-alive"),
	"keep-alive parameters":   with("Keep-Alive: timeout=5"),
	"TE":                      with("TE: trailers"),
	"trailer":                 with("Trailer: x"),
	"pragma":                  with("Pragma: no-cache"),
	"repeated field":          with("X-Runner-Token: secret"),
	"folded line":             with("x: y\r\n z"),
	"folded with a tab":       with("x: y\r\n\tz"),
	"folded first":            replaced("Host", " Host"),
	"blank before the colon":  with("x : y"),
	"tab before the colon":    with("x\t: y"),
	"tab after the colon":     with("x:\ty"),
	"two after the colon":     with("x:  y"),
	"blank at the end":        with("x: y "),
	"no colon":                with("x"),
	"no name":                 with(": y"),
	"odd name":                with("x(y): z"),
	"non-ASCII name":          with("xä: z"),
	"NUL in a name":           with("x\x00: y"),
	"NUL in a value":          with("x: y\x00"),
	"tab in a value":          with("x: y\tz"),
	"DEL in a value":          with("x: y\x7f"),
	"Latin-1 in a value":      with("x: \xe4"),
	"UTF-8 in a value":        with("x: ä"),
	"bare CR":                 with("x: y\rz: 1"),
	"bare CR at the end":      with("x: y\r"),
	"bare LF":                 with("x: y\nz: 1"),
	"LF only":                 strings.ReplaceAll(ordinary, "\r\n", "\n") + "\r\n\r\n",
	"LF before the end":       replaced("\r\n\r\n", "\n\r\n") + "\r\n\r\n",
	"CR CR LF":                with("x: y\r"),
	"long head":               with("x: " + strings.Repeat("y", maxHead)),
	"many fields":             with(strings.TrimSuffix(strings.Repeat("x: y\r\n", maxFields), "\r\n")),
}

func TestPlainRequests(t *testing.T) {
	for name, request := range plainRequests {
		t.Run(name, func(t *testing.T) {
			what := checkHead(t, []byte(request))
			assert.Equal(t, plain, what)
			head := strings.Index(request, "\r\n\r\n") + 4
			for end := range head {
				_, what := readHead(new(http.Request), []byte(request[:end]))
				assert.Equal(t, short, what, "cut at %d", end)
			}
		})
	}
}

func TestOddRequests(t *testing.T) {
	for name, request := range oddRequests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, odd, checkHead(t, []byte(request)))
		})
	}
}

// The bytes of names, values and hosts are among those that golang.org/x/net allows; those of
// names are the same.
func TestBytesOfFields(t *testing.T) {
	assert.False(t, isToken(""))
	for c := range 256 {
		for _, text := range []string{string([]byte{byte(c)}), string([]byte{'a', byte(c), 'b'})} {
			assert.Equal(t, httpguts.ValidHeaderFieldName(text), isToken(text), "%q", text)
			if _, _, ok := cutField("x:" + text); ok {
				assert.True(t, httpguts.ValidHeaderFieldValue(text), "%q", text)
			}
			if plainHost(text) {
				assert.True(t, httpguts.ValidHostHeader(text), "%q", text)
			}
		}
	}
}

// Whatever is plain is the same to net/http, to the last byte.
func FuzzHead(f *testing.F) {
	for _, requests := range []map[string]string{plainRequests, oddRequests} {
		for _, request := range requests {
			f.Add([]byte(request))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkHead(t, data) })
}

// checkHead compares readHead with net/http.
func checkHead(t *testing.T, data []byte) verdict {
	var got http.Request
	size, what := readHead(&got, data)
	if what != plain {
		return what
	}
	// What is plain is not odd while it arrives.
	_, what = readHead(new(http.Request), data[:size-1])
	require.Equal(t, short, what)

	// Nor is it another one when it is repeated, and nothing but strings is shared.
	var last lastHead
	for range 3 {
		var again http.Request
		length, what := last.read(&again, data)
		require.Equal(t, plain, what)
		require.Equal(t, size, length)
		require.Equal(t, got, again)
		for _, values := range again.Header {
			require.Equal(t, 1, cap(values))
			values[0] = "changed"
		}
		again.Header["Changed"] = nil
		again.URL.Path = "/changed"
	}

	in := bufio.NewReader(bytes.NewReader(data))
	want, err := http.ReadRequest(in)
	require.NoError(t, err)
	assert.Equal(t, want.Method, got.Method)
	assert.Equal(t, want.RequestURI, got.RequestURI)
	assert.Equal(t, want.URL, got.URL)
	assert.Equal(t, want.URL.EscapedPath(), got.URL.EscapedPath())
	assert.Equal(t, want.Proto, got.Proto)
	assert.Equal(t, []int{want.ProtoMajor, want.ProtoMinor}, []int{got.ProtoMajor, got.ProtoMinor})
	assert.Equal(t, want.Header, got.Header)
	assert.Equal(t, want.Host, got.Host)
	assert.Equal(t, want.ContentLength, got.ContentLength)
	assert.Empty(t, want.TransferEncoding)
	assert.Empty(t, want.Trailer)
	assert.False(t, want.Close)
	// What http.Server checks besides.
	assert.True(t, httpguts.ValidHostHeader(got.Host))
	for name, values := range got.Header {
		assert.True(t, httpguts.ValidHeaderFieldName(name))
		assert.Len(t, values, 1)
		assert.Equal(t, 1, cap(values), "an Add must not change another field")
		assert.True(t, httpguts.ValidHeaderFieldValue(values[0]))
	}
	rest := data[size:]
	body, err := io.ReadAll(want.Body)
	if int64(len(rest)) < got.ContentLength {
		assert.Equal(t, io.ErrUnexpectedEOF, err)
	} else {
		assert.NoError(t, err)
		remaining, err := io.ReadAll(in)
		assert.NoError(t, err)
		assert.Equal(t, string(rest[got.ContentLength:]), string(remaining))
		rest = rest[:got.ContentLength]
	}
	assert.Equal(t, string(rest), string(body))
	return plain
}
