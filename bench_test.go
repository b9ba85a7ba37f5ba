package tunnel_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/lane"
	"github.com/bluelibs/go-tunnel/protocol/schema"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// BenchmarkHTTP sends the same small task over 64 connections to a bare handler with
// the same decoding (the limit), to all executors and to Runner's own server. Only
// the ratios within one run mean something: the load comes from the same machine.
func BenchmarkHTTP(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		server := httptest.NewServer(http.HandlerFunc(bareAdd))
		b.Cleanup(server.Close)
		load(b, server.URL)
	})
	// The same task in Go on a lane, and those who are refused: by their lane, or by their
	// token, which all servers do.
	registry, signer := laneApp(b)
	guarded := testapp.Serve(b, registry, tunnel.Config{})
	header := signed(b, signer, protocol.KindTask, "app.tasks.add", testapp.AddBody)
	const refused = `{"ok":false,"error":{"message":"Unauthorized","code":"UNAUTHORIZED"}}`
	for _, c := range []struct{ name, header, answer string }{
		{"lane", "x-runner-token: secret\r\n" + header[0] + ": " + header[1], testapp.AddAnswer},
		{"lane refused", "x-runner-token: secret\r\n" + header[0] + ": " + header[1][:len(header[1])-10] + "AAAAAAAAAA", refused},
		{"token refused", "x-runner-token: secrets", refused},
	} {
		b.Run(c.name, func(b *testing.B) { loadRequests(b, guarded, c.header, c.answer) })
	}
	for _, name := range []string{"standalone", "ipc", "module"} {
		b.Run(name, func(b *testing.B) {
			load(b, testapp.Serve(b, testapp.Executors[name](b), tunnel.Config{}))
		})
		b.Run(name+", front", func(b *testing.B) {
			handler := tunnel.New(testapp.Executors[name](b), tunnel.Config{Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: testapp.Quiet})
			server := httptest.NewUnstartedServer(handler)
			testapp.InFront(b, server, handler)
			server.Start()
			b.Cleanup(server.Close)
			load(b, server.URL)
		})
	}
	b.Run("runner-application", func(b *testing.B) {
		load(b, testapp.Serve(b, testapp.RunnerApp(b, map[string]any{}), tunnel.Config{}))
	})
	b.Run("runner-5.5.0", func(b *testing.B) {
		load(b, testapp.StartExposure(b, map[string]any{}))
	})
}

// bareAdd is what one would write by hand for this task alone.
func bareAdd(w http.ResponseWriter, r *http.Request) {
	var in struct{ Input struct{ A, B float64 } }
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	answer, err := json.Marshal(struct {
		OK     bool    `json:"ok"`
		Result float64 `json:"result"`
	}{true, in.Input.A + in.Input.B})
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, _ = w.Write(answer)
}

// laneApp has the task of the benchmark on a lane.
func laneApp(b *testing.B) (*standalone.Registry, *lane.Signer) {
	key := []byte("a secret of the benchmark")
	v, err := lane.NewVerifier(lane.Auth{Lane: "bench", Key: key})
	require.NoError(b, err)
	signer, err := lane.NewSigner(lane.Signing{Lane: "bench", Key: key, TTL: 24 * time.Hour})
	require.NoError(b, err)
	registry := testapp.GoApp()
	registry.Lane(v, "app.tasks.add")
	return registry, signer
}

func load(b *testing.B, base string) {
	loadRequests(b, base, "x-runner-token: secret", testapp.AddAnswer)
}

// loadRequests shares b.N requests among 64 connections that do as little as possible.
func loadRequests(b *testing.B, base, header, answer string) {
	const connections = 64
	base = strings.TrimSuffix(base, "/__runner")
	request := fmt.Appendf(nil, "POST /__runner/task/app.tasks.add HTTP/1.1\r\nHost: bench\r\n%s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", header, len(testapp.AddBody), testapp.AddBody)
	var left atomic.Int64
	left.Store(int64(b.N))
	var callers sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range connections {
		callers.Go(func() {
			conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			in := bufio.NewReader(conn)
			for left.Add(-1) >= 0 {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				if err := readAdded(in, answer); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// readAdded reads an answer and compares its end, since the other bodies differ.
func readAdded(in *bufio.Reader, answer string) error {
	length := -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if text := strings.TrimSpace(string(line)); text == "" {
			break
		} else if value, ok := strings.CutPrefix(strings.ToLower(text), "content-length: "); ok {
			if length, err = strconv.Atoi(value); err != nil {
				return err
			}
		}
	}
	if length != len(answer) {
		return fmt.Errorf("an answer of %d bytes", length)
	}
	body, err := in.Peek(length)
	if err != nil {
		return err
	}
	if string(body) != answer {
		return fmt.Errorf("unexpected answer %q", body)
	}
	_, err = in.Discard(length)
	return err
}

// BenchmarkHandler is one request without a network: what the Handler itself costs.
func BenchmarkHandler(b *testing.B) {
	handler := tunnel.New(testapp.GoApp(), tunnel.Config{Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: testapp.Quiet})
	benchmarkHandler(b, handler)
}

func benchmarkHandler(b *testing.B, handler http.Handler) {
	body := strings.NewReader(testapp.AddBody)
	r := httptest.NewRequest(http.MethodPost, "/__runner/task/app.tasks.add", io.NopCloser(body))
	r.ContentLength = int64(len(testapp.AddBody))
	r.Header.Set("X-Runner-Token", "secret")
	w := &nullWriter{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		_, err := body.Seek(0, io.SeekStart)
		require.NoError(b, err)
		clear(w.header)
		handler.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			b.Fatal(w.status)
		}
	}
}

// BenchmarkChecked is BenchmarkHandler with and without a schema for its small task.
func BenchmarkChecked(b *testing.B) {
	const addSchema = `{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"],"additionalProperties":false}`
	for _, name := range []string{"unchecked", "checked"} {
		b.Run(name, func(b *testing.B) {
			sources := schema.Sources{Tasks: map[string]any{"app.tasks.add": []byte(addSchema)}}
			if name == "unchecked" {
				sources.Tasks = map[string]any{"app.tasks.other": true}
			}
			set, err := schema.Compile(sources)
			require.NoError(b, err)
			handler := tunnel.New(testapp.GoApp(), tunnel.Config{
				Tokens: []string{"secret"}, AllowList: testapp.AllowList, Logger: testapp.Quiet, Middleware: []tunnel.Middleware{tunnel.Check(set.Check)},
			})
			benchmarkHandler(b, handler)
		})
	}
}

type nullWriter struct {
	header http.Header
	status int
}

func (w *nullWriter) Header() http.Header               { return w.header }
func (w *nullWriter) WriteHeader(status int)            { w.status = status }
func (w *nullWriter) Write(p []byte) (int, error)       { return len(p), nil }
func (w *nullWriter) WriteString(s string) (int, error) { return len(s), nil }
