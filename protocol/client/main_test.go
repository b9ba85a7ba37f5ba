package client_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/protocol/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hangBound is for calls that never end; no test is about time.
const hangBound = 20 * time.Second

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), hangBound)
	t.Cleanup(cancel)
	return ctx
}

// serve starts a server and returns a client of it with the token "secret".
func serve(t *testing.T, handler http.HandlerFunc, change ...func(*client.Config)) *client.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newClient(t, server.URL+"/__runner", change...)
}

func newClient(t *testing.T, baseURL string, change ...func(*client.Config)) *client.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	cfg := client.Config{Token: "secret", HTTPClient: &http.Client{Transport: transport}}
	for _, f := range change {
		f(&cfg)
	}
	c, err := client.New(baseURL, cfg)
	require.NoError(t, err)
	return c
}

// answering answers every request with the same.
func answering(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Type"] = []string{contentType}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// received is what a server got.
type received struct {
	method, path string
	header       http.Header
	body         string
	length       int64
}

// recording notes each request and answers with body.
func recording(got *[]received, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		*got = append(*got, received{r.Method, r.RequestURI, r.Header, string(text), r.ContentLength})
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, body)
	}
}

const okAnswer = `{"ok":true,"result":1}`
