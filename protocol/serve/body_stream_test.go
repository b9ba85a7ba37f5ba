package serve

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// openBody returns the body of a request, whose length is not announced.
func openBody(t *testing.T, body io.Reader, encoding string, limit int64) *Body {
	r := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(body))
	r.ContentLength = -1
	r.Header.Set("Content-Encoding", encoding)
	b, err := OpenBody(OverNetHTTP(httptest.NewRecorder(), r), r, limit)
	require.NoError(t, err)
	t.Cleanup(b.Release)
	return b
}

func TestBody(t *testing.T) {
	zipped := gzipped(t, "12345")
	for name, c := range map[string]struct {
		body, encoding string
		limit          int64
		want           string
		code           protocol.Code
	}{
		"whole":              {"12345", "", 0, "12345", ""},
		"identity":           {"12345", "Identity", 0, "12345", ""},
		"empty":              {"", "", 1, "", ""},
		"of the limit":       {"12345", "", 5, "12345", ""},
		"over the limit":     {"123456", "", 5, "", protocol.CodePayloadTooLarge},
		"gzip":               {zipped, "GZIP", 5, "12345", ""},
		"gzip in two":        {zipped + zipped, "x-gzip", 0, "1234512345", ""},
		"gzip over":          {gzipped(t, "123456"), "gzip", 5, "", protocol.CodePayloadTooLarge},
		"gzip bomb":          {gzipped(t, strings.Repeat(" ", 10<<20)), "gzip", 5, "", protocol.CodePayloadTooLarge},
		"gzip of nothing":    {"", "gzip", 0, "", ""},
		"gzip cut":           {zipped[:len(zipped)-3], "gzip", 0, "12345", protocol.CodeStream},
		"gzip that is none":  {"12345", "gzip", 0, "", protocol.CodeStream},
		"gzip and more":      {zipped + "more", "gzip", 0, "12345", protocol.CodeStream},
		"gzip and wrong sum": {zipped[:len(zipped)-8] + "12345678", "gzip", 0, "12345", protocol.CodeStream},
	} {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "end with the data": iotest.DataErrReader,
		} {
			b := openBody(t, wrap(strings.NewReader(c.body)), c.encoding, c.limit)
			text, err := io.ReadAll(b)
			if c.code == "" {
				assert.NoError(t, err, "%s %s", name, how)
				assert.Equal(t, c.want, string(text), "%s %s", name, how)
				continue
			}
			assert.Equal(t, c.code, protocol.Public(err).Code, "%s %s: %v", name, how, err)
			assert.LessOrEqual(t, len(text), len(c.body)+10)
			_, again := b.Read(make([]byte, 10))
			assert.Error(t, again, "%s %s", name, how)
		}
	}
}

func TestBodyErrors(t *testing.T) {
	for _, c := range arrivalFailures {
		b := openBody(t, io.MultiReader(strings.NewReader("123"), iotest.ErrReader(c.err)), "", 0)
		b.x.(*netHTTP).r.ProtoMajor = max(c.major, 1)
		text, err := io.ReadAll(b)
		assert.Equal(t, "123", string(text), c.name)
		assert.Equal(t, cmp.Or(c.want, protocol.CodeStream), protocol.Public(err).Code, c.name)
		assert.ErrorAs(t, err, new(*protocol.Error), c.name)
		assert.Equal(t, c.want == protocol.CodeRequestAborted, b.Context().Err() != nil, "%s: the task learns that its caller has left", c.name)
	}
}

func TestOpenBodyRefuses(t *testing.T) {
	for want, change := range map[protocol.Code]func(*http.Request){
		protocol.CodeUnsupportedMediaType: func(r *http.Request) { r.Header.Set("Content-Encoding", "br") },
		protocol.CodePayloadTooLarge:      func(r *http.Request) { r.ContentLength = 6 },
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("12345"))
		change(r)
		_, err := OpenBody(OverNetHTTP(httptest.NewRecorder(), r), r, 5)
		assert.Equal(t, want, protocol.Public(err).Code)
	}
}

func TestBodyContext(t *testing.T) {
	type key struct{}
	parent, leave := context.WithCancel(context.WithValue(context.Background(), key{}, 1))
	r := httptest.NewRequestWithContext(parent, http.MethodPost, "/", strings.NewReader("12345"))
	b, err := OpenBody(OverNetHTTP(httptest.NewRecorder(), r), r, 0)
	require.NoError(t, err)
	defer b.Release()
	assert.Equal(t, 1, b.Context().Value(key{}))
	require.NoError(t, b.Close())
	require.NoError(t, b.Close())
	_, err = b.Read(make([]byte, 1))
	assert.Equal(t, errBodyClosed, err)
	assert.NoError(t, b.Context().Err())
	leave()
	<-b.Context().Done()
}

func TestBodyOfNoRequest(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Body = nil
	b, err := OpenBody(OverNetHTTP(httptest.NewRecorder(), r), r, 0)
	require.NoError(t, err)
	defer b.Release()
	text, err := io.ReadAll(b)
	assert.NoError(t, err)
	assert.Empty(t, text)
}
