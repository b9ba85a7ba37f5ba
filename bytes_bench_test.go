package tunnel_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

const bulk = 64 << 20

// zeros is a source of n bytes.
func zeros(n int64) io.Reader {
	return io.LimitReader(readerFunc(func(p []byte) (int, error) { return len(p), nil }), n)
}

// BenchmarkBytes moves 64 MiB over loopback HTTP/1.1. Bare is a net/http handler that
// does the same, the most that can be had.
func BenchmarkBytes(b *testing.B) {
	r := standalone.NewRegistry()
	standalone.Task(r, "up", func(_ context.Context, in io.Reader) (int64, error) { return io.Copy(io.Discard, in) })
	standalone.Task(r, "down", func(context.Context, any) (io.Reader, error) { return zeros(bulk), nil })
	standalone.Task(r, "form", func(ctx context.Context, in standalone.File) (int64, error) {
		file, err := in.Open(ctx)
		if err != nil {
			return 0, err
		}
		return io.Copy(io.Discard, file)
	})
	mux := http.NewServeMux()
	mux.Handle("/__runner/", tunnel.New(r, tunnel.Config{AllowAnonymous: true, Logger: quiet, Limits: protocol.Limits{MaxFileSize: bulk}}))
	mux.HandleFunc("/bare/up", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})
	mux.HandleFunc("/bare/down", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, zeros(bulk))
	})
	server := httptest.NewServer(mux)
	b.Cleanup(server.Close)
	form := "--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n" + `{"input":{"$runnerFile":"File","id":"a"}}` +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"file:a\"; filename=\"a\"\r\n\r\n"
	for _, c := range []struct{ name, path, contentType, before, after string }{
		{"up/bare", "/bare/up", "", "", ""},
		{"up/standalone", "/__runner/task/up", "application/octet-stream", "", ""},
		{"up/form", "/__runner/task/form", "multipart/form-data; boundary=b", form, "\r\n--b--\r\n"},
		{"down/bare", "/bare/down", "-", "", ""},
		{"down/standalone", "/__runner/task/down", "-", "", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(bulk)
			b.ReportAllocs()
			for b.Loop() {
				var body io.Reader
				if c.contentType != "-" {
					body = io.MultiReader(strings.NewReader(c.before), zeros(bulk), strings.NewReader(c.after))
				}
				req, err := http.NewRequest(http.MethodPost, server.URL+c.path, body)
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("content-type", c.contentType)
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
					b.Fatal(res.Status, err)
				}
				_ = res.Body.Close()
			}
		})
	}
}
