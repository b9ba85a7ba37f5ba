package frameworks

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

// proxies are real programs with the configurations that README.md shows.
var proxies = []struct {
	name  string
	start func(t *testing.T, upstream string) (url string)
}{
	{"nginx", func(t *testing.T, upstream string) string { return nginx(t, "nginx.conf", upstream) }},
	{"haproxy", func(t *testing.T, upstream string) string {
		return startProxy(t, "haproxy.cfg", upstream, func(_, file string) []string { return []string{"haproxy", "-db", "-f", file} })
	}},
	{"caddy", func(t *testing.T, upstream string) string {
		return startProxy(t, "Caddyfile", upstream, func(_, file string) []string {
			return []string{"caddy", "run", "--adapter", "caddyfile", "--config", file}
		})
	}},
}

// oldCaddy says that a proxy is Debian's Caddy 2.6, which has no full duplex over HTTP/1.1 and
// ends a cut answer as if it were whole.
func oldCaddy(name string) bool {
	if name != "caddy" {
		return false
	}
	version, err := exec.Command("caddy", "version").Output()
	if err != nil {
		return false // there is none: startProxy says so
	}
	return strings.HasPrefix(strings.TrimPrefix(string(version), "v"), "2.6.")
}

func nginx(t *testing.T, config, upstream string) string {
	return startProxy(t, config, upstream, func(dir, file string) []string {
		return []string{"nginx", "-p", dir, "-c", file, "-g", "daemon off; error_log stderr crit; pid " + dir + "/pid;"}
	})
}

// startProxy runs a program with its configuration, on a port of its own, before upstream.
func startProxy(t *testing.T, config, upstream string, command func(dir, file string) []string) (url string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "config")
	if oldCaddy(strings.TrimSuffix(strings.ToLower(config), "file")) {
		text = bytes.ReplaceAll(text, []byte("\tservers {\n\t\tenable_full_duplex\n\t}\n"), nil)
	}
	replaced := strings.NewReplacer("127.0.0.1:8080", address, "127.0.0.1:7070", strings.TrimPrefix(upstream, "http://"),
		"access_log off;", "access_log off; client_body_temp_path "+dir+"/body; proxy_temp_path "+dir+"/proxy;").Replace(string(text))
	require.NoError(t, os.WriteFile(file, []byte(replaced), 0o600))

	args := command(dir, file)
	program, err := exec.LookPath(args[0])
	if err != nil {
		if os.Getenv("CI") == "true" && !strings.Contains(os.Getenv("MISSING"), args[0]) { // .ci/run says what it could not install
			t.Fatal(err)
		}
		t.Skip(err)
	}
	var said output
	cmd := exec.Command(program, args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		_ = cmd.Wait() // haproxy tells of the signal by its status
		if t.Failed() {
			t.Log(said.String())
		}
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, patience, 5*time.Millisecond)
	return "http://" + address
}

// behind puts a proxy before a server.
func (s *server) behind(t *testing.T, start func(t *testing.T, upstream string) string) *server {
	proxied := *s
	proxied.url = start(t, s.url)
	return &proxied
}

// Behind a bare proxy_pass, which speaks HTTP/1.0, and behind the configuration of README.md,
// nobody sees a cut answer as a whole one.
func TestCutAnswerBehindNginx(t *testing.T) {
	for _, config := range []string{"testdata/nginx-bare.conf", "nginx.conf"} {
		for _, end := range ends {
			if config != "nginx.conf" && strings.HasSuffix(end.name, "after the head") {
				continue // such an nginx keeps a head to itself
			}
			t.Run(filepath.Base(config)+"/"+end.name, func(t *testing.T) {
				t.Parallel()
				var pool *ipc.Pool
				if end.survives {
					pool = startNode(t)
				}
				a := end.begin(t, pool)
				s := serveTCP(t, &http.Server{Handler: GinRecovery(a.handler())}, nil).
					behind(t, func(t *testing.T, upstream string) string { return nginx(t, config, upstream) })
				require.Error(t, callAndCut(t, s, a), "the answer looks whole")
			})
		}
	}
}

func TestProxies(t *testing.T) {
	for _, p := range proxies {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			left := make(chan struct{}, 1)
			tasks := standalone.NewRegistry()
			standalone.Task(tasks, "add", func(_ context.Context, in struct{ A, B int }) (int, error) { return in.A + in.B, nil })
			standalone.Task(tasks, "size", func(_ context.Context, in io.Reader) (int64, error) { return io.Copy(io.Discard, in) })
			standalone.Task(tasks, "echo", func(_ context.Context, in io.Reader) (io.Reader, error) { return in, nil })
			standalone.Task(tasks, "wait", func(ctx context.Context, _ struct{}) (int, error) {
				left <- struct{}{}
				<-ctx.Done()
				left <- struct{}{}
				return 0, ctx.Err()
			})
			h := tunnel.New(tasks, tunnel.Config{Tokens: []string{"secret"}, Logger: slog.New(slog.DiscardHandler)})
			s := serveTCP(t, &http.Server{Handler: h}, nil).behind(t, p.start)
			client := &http.Client{Transport: s.caller, Timeout: patience}
			call := func(t *testing.T, ctx context.Context, task, contentType string, body io.Reader) (*http.Response, error) {
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/__runner/task/"+task, body)
				require.NoError(t, err)
				req.Header.Set("x-runner-token", "secret")
				req.Header.Set("content-type", contentType)
				return client.Do(req)
			}
			text := func(t *testing.T, res *http.Response, err error) string {
				require.NoError(t, err)
				defer res.Body.Close()
				body, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				return string(body)
			}

			t.Run("JSON", func(t *testing.T) {
				res, err := call(t, t.Context(), "add", "application/json", strings.NewReader(`{"input":{"a":5,"b":3}}`))
				assert.Equal(t, `{"ok":true,"result":8}`, text(t, res, err))
			})
			t.Run("upload", func(t *testing.T) {
				res, err := call(t, t.Context(), "size", "application/octet-stream", strings.NewReader(strings.Repeat("x", 3<<20)))
				assert.Equal(t, `{"ok":true,"result":3145728}`, text(t, res, err))
			})
			t.Run("duplex", func(t *testing.T) {
				if oldCaddy(p.name) {
					return
				}
				in, out := io.Pipe()
				defer out.Close()
				go io.WriteString(out, "ping")
				res, err := call(t, t.Context(), "echo", "application/octet-stream", in)
				require.NoError(t, err)
				defer res.Body.Close()
				word := make([]byte, 4)
				for _, next := range []string{"pong", "last", ""} {
					_, err = io.ReadFull(res.Body, word)
					require.NoError(t, err)
					_, err = io.WriteString(out, next) // only after the answer to the one before
					require.NoError(t, err)
				}
				assert.Equal(t, "last", string(word))
				require.NoError(t, out.Close())
				rest, err := io.ReadAll(res.Body)
				assert.NoError(t, err)
				assert.Empty(t, rest)
			})
			t.Run("leaving", func(t *testing.T) {
				ctx, leave := context.WithCancel(t.Context())
				gone := make(chan error, 1)
				go func() {
					res, err := call(t, ctx, "wait", "application/json", strings.NewReader("{}"))
					if err == nil {
						res.Body.Close()
					}
					gone <- err
				}()
				<-left
				leave()
				assert.Error(t, <-gone)
				select {
				case <-left:
				case <-time.After(patience):
					t.Error("the task does not know that its caller has left")
				}
			})
			t.Run("streams", func(t *testing.T) {
				a := newStream().answer(nil)
				a.cut = func(s *server) { s.cancel() } // what was sent has arrived before there is more
				s := serveTCP(t, &http.Server{Handler: a.handler()}, nil).behind(t, p.start)
				if err := callAndCut(t, s, a); !oldCaddy(p.name) {
					require.Error(t, err, "the answer looks whole")
				}
			})
		})
	}
}
