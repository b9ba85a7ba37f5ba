package compress

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZip": true, "br, gzip": true, "br": false, "*": true, "gzip;q=0": false, "gzip; q=0.000": false,
		"gzip;q=0.1": true, "*;q=0": false, "gzip;q=0, *": false, "*, gzip;q=0": false, "*;q=0, gzip": true, "identity": false,
		"gzipped": false, "gzip;q=x": false, "gzip ; Q=1": true, "x-gzip": true,
	} {
		assert.Equal(t, want, acceptsGzip(http.Header{"Accept-Encoding": {header}}), header)
	}
	assert.False(t, acceptsGzip(nil))
	assert.True(t, acceptsGzip(http.Header{"Accept-Encoding": {"br", "gzip"}}))
}

func TestHandler(t *testing.T) {
	long, short := strings.Repeat("x", MinSize), strings.Repeat("x", MinSize-1)
	const jsonType = "application/json; charset=utf-8"
	for name, c := range map[string]struct {
		accept, contentType, encoding, body string
		pieces                              int // 0: with a Content-Length
		flush                               bool
		status                              int
		compressed, vary                    bool
	}{
		"long":               {"gzip", jsonType, "", long, 0, false, 200, true, true},
		"long error":         {"gzip", jsonType, "", long, 0, false, 500, true, true},
		"short":              {"gzip", jsonType, "", short, 0, false, 200, false, true},
		"empty":              {"gzip", jsonType, "", "", 0, false, 200, false, true},
		"not accepted":       {"br", jsonType, "", long, 0, false, 200, false, true},
		"not accepted, long": {"br", jsonType, "", long, 2, false, 200, false, true},
		"other type":         {"gzip", "application/jsonl", "", long, 0, false, 200, false, false},
		"stream":             {"gzip", "application/octet-stream", "", long, 4, true, 200, false, false},
		"no type":            {"gzip", "", "", long, 1, false, 200, false, false},
		"encoded":            {"gzip", jsonType, "br", long, 0, false, 200, false, false},
		"long, no length":    {"gzip", jsonType, "", long, 1, false, 200, true, true},
		"long in pieces":     {"gzip", jsonType, "", long + long, 100, false, 200, true, true},
		"short in pieces":    {"gzip", jsonType, "", short, 10, false, 200, false, true},
		"flushed early":      {"gzip", jsonType, "", long, 10, true, 200, false, true},
		"flushed late":       {"gzip", jsonType, "", long + long, 2, true, 200, true, true},
		"nothing written":    {"gzip", jsonType, "", "", 1, false, 200, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{c.contentType}
				if c.encoding != "" {
					w.Header().Set("Content-Encoding", c.encoding)
				}
				if c.pieces == 0 {
					w.Header().Set("Content-Length", strconv.Itoa(len(c.body)))
				}
				w.WriteHeader(c.status)
				size := len(c.body)/max(c.pieces, 1) + 1
				for rest := c.body; rest != ""; {
					piece := rest[:min(size, len(rest))]
					rest = rest[len(piece):]
					n, err := io.WriteString(w, piece)
					assert.NoError(t, err)
					assert.Equal(t, len(piece), n)
					if c.flush {
						assert.NoError(t, http.NewResponseController(w).Flush())
					}
				}
			})))
			defer server.Close()
			req, err := http.NewRequest(http.MethodPost, server.URL, nil)
			require.NoError(t, err)
			req.Header.Set("Accept-Encoding", c.accept)
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			defer res.Body.Close()
			assert.Equal(t, c.status, res.StatusCode)
			assert.Equal(t, c.vary, res.Header.Get("Vary") == "Accept-Encoding")
			var body io.Reader = res.Body
			if c.compressed {
				assert.Equal(t, "gzip", res.Header.Get("Content-Encoding"))
				body, err = gzip.NewReader(res.Body)
				require.NoError(t, err)
			} else {
				assert.Equal(t, c.encoding, res.Header.Get("Content-Encoding"))
			}
			text, err := io.ReadAll(body)
			require.NoError(t, err)
			assert.Equal(t, c.body, string(text))
		})
	}
}

func TestHead(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodHead, "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "5000")
	})).ServeHTTP(w, r)
	assert.Equal(t, "5000", w.Header().Get("Content-Length"))
	assert.Empty(t, w.Header().Get("Content-Encoding"))
}

func TestAbortedAnswer(t *testing.T) {
	server := httptest.NewServer(Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.Repeat("x", 5000))
		panic(http.ErrAbortHandler)
	})))
	defer server.Close()
	res, err := http.Get(server.URL)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
	}
	assert.Error(t, err, "a cut answer must not pass for a whole one")
}
