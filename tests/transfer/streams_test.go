package transfer_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// streamTasks are the tasks that move bytes, in JavaScript. streamApp has them in Go.
const streamTasks = `
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
const calls = { started: 0, aborted: 0 };
const count = (signal) => {
  calls.started++;
  if (signal.aborted) calls.aborted++;
  else signal.addEventListener("abort", () => calls.aborted++);
};
export const tasks = {
  hash: async (body) => {
    const hash = createHash("sha256");
    for await (const chunk of body) hash.update(chunk);
    return hash.digest("hex");
  },
  drain: (body, { signal }) => new Promise((resolve, reject) => {
    count(signal);
    let size = 0;
    body.on("data", (chunk) => (size += chunk.length)).on("end", () => resolve(size)).on("error", reject);
  }),
  source: ({ size, seed }, { signal }) => {
    count(signal);
    const chunk = Buffer.alloc(64 << 10, seed);
    return new Readable({
      highWaterMark: chunk.length,
      read() {
        const part = chunk.subarray(0, Math.min(size, chunk.length));
        size -= part.length;
        this.push(part.length > 0 ? part : null);
      },
    });
  },
  add: ({ a, b }) => a + b,
  running: () => calls.started - calls.aborted,
  started: () => calls.started,
  pid: () => process.pid,
};`

func streamModule(t testing.TB) *ipc.Pool {
	file := filepath.Join(t.TempDir(), "streams.mjs")
	require.NoError(t, os.WriteFile(file, []byte(streamTasks), 0o600))
	return testapp.StartWorker(t, ipc.Node(file))
}

type sourceInput struct{ Size, Seed int64 }

func streamApp() *standalone.Registry {
	r := standalone.NewRegistry()
	standalone.Task(r, "hash", func(_ context.Context, body io.Reader) (string, error) {
		hash := sha256.New()
		_, err := io.Copy(hash, body)
		return hex.EncodeToString(hash.Sum(nil)), err
	})
	standalone.Task(r, "drain", func(_ context.Context, body io.Reader) (int64, error) {
		return io.CopyBuffer(struct{ io.Writer }{io.Discard}, body, make([]byte, 64<<10))
	})
	standalone.Task(r, "source", func(_ context.Context, in sourceInput) (io.Reader, error) {
		return newSource(in.Size, byte(in.Seed)), nil
	})
	standalone.Task(r, "add", func(_ context.Context, in struct{ A, B float64 }) (float64, error) { return in.A + in.B, nil })
	return r
}

// source is so many bytes of one value.
type source struct {
	left  int64
	chunk []byte
}

func newSource(size int64, seed byte) *source {
	return &source{size, bytes.Repeat([]byte{seed}, 64<<10)}
}

func (s *source) Read(p []byte) (int, error) {
	n := copy(p, s.chunk[:min(int64(len(s.chunk)), s.left)])
	s.left -= int64(n)
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// octets posts a body of octets and returns the response of the task.
func octets(ctx context.Context, base, task string, body io.Reader) (*http.Response, error) {
	return sendTo(ctx, base, task, "application/octet-stream", body)
}

func sendTo(ctx context.Context, base, task, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/__runner/task/"+task, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("x-runner-token", "secret")
	req.Header.Set("Content-Type", contentType)
	return http.DefaultClient.Do(req)
}

func download(ctx context.Context, base string, size int64) (*http.Response, error) {
	return sendTo(ctx, base, "source", "application/json", strings.NewReader(fmt.Sprintf(`{"input":{"size":%d,"seed":7}}`, size)))
}

func serveStreams(t testing.TB, name string) (base string, exec tunnel.Executor) {
	exec = streamApp()
	if name == "ipc" {
		exec = streamModule(t)
	}
	cfg := tunnel.Config{AllowList: exec.(tunnel.Lister).List(), Limits: protocol.Limits{MaxFileSize: 4 << 30}}
	return testapp.Serve(t, exec, cfg), exec
}

// long reports whether the tests that take minutes are wanted, at their full size.
func long() bool { return os.Getenv("TUNNEL_LONG") != "" }

// Bodies of any size pass through, and no process holds them. The server is a process
// of its own, so that its memory is not the client's.
func TestBodiesAreNotHeldInMemory(t *testing.T) {
	if runtime.GOOS != "linux" || raceEnabled {
		t.Skip("needs /proc, and no race detector, which has a memory of its own")
	}
	size := int64(256 << 20)
	if long() {
		size = 2 << 30
	}
	want := sha256.New()
	_, _ = io.Copy(want, newSource(size, 7))
	for _, name := range []string{"standalone", "ipc"} {
		t.Run(name, func(t *testing.T) {
			base, server := startStreamServer(t, name)
			worker := 0
			if name == "ipc" {
				worker = int(number(t, base, "pid"))
			}
			warmUp(t, base)
			serverBefore, workerBefore := peakMemory(t, server), peakMemory(t, worker)

			res, err := octets(t.Context(), base, "hash", newSource(size, 7))
			require.NoError(t, err)
			answer, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf(`{"ok":true,"result":"%x"}`, want.Sum(nil)), string(answer))

			res, err = download(t.Context(), base, size)
			require.NoError(t, err)
			got := sha256.New()
			_, err = io.Copy(got, res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, want.Sum(nil), got.Sum(nil))

			grown, workerGrown := peakMemory(t, server)-serverBefore, peakMemory(t, worker)-workerBefore
			t.Logf("%d MiB each way: the server grew by %d KiB, the worker by %d KiB", size>>20, grown, workerGrown)
			assert.LessOrEqual(t, grown, 16<<10, "KiB")
			assert.LessOrEqual(t, workerGrown, 64<<10, "KiB")
		})
	}
}

func warmUp(t *testing.T, base string) {
	for range 3 {
		res, err := octets(t.Context(), base, "hash", newSource(8<<20, 7))
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, res.Body)
		res, err = download(t.Context(), base, 8<<20)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, res.Body)
	}
}

// number runs a task without input whose result is a number.
func number(t testing.TB, base, task string) float64 {
	res, err := sendTo(t.Context(), base, task, "application/json", nil)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var n float64
	_, err = fmt.Sscanf(string(answer), `{"ok":true,"result":%g}`, &n)
	require.NoError(t, err, string(answer))
	return n
}

// peakMemory returns the most memory that a process ever had resident, in KiB; 0 for 0.
func peakMemory(t testing.TB, pid int) int {
	if pid == 0 {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	field, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, err := strconv.Atoi(field)
	require.NoError(t, err)
	return kib
}

// serveEnv makes the test binary a server; see TestMain.
const serveEnv = "TUNNEL_TEST_SERVER"

func startStreamServer(t testing.TB, name string) (base string, pid int) {
	cmd := exec.Command(os.Args[0], "-test.run", "^TestStreamServer$")
	cmd.Env = append(os.Environ(), serveEnv+"="+name)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		assert.NoError(t, cmd.Wait())
		http.DefaultClient.CloseIdleConnections()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line), cmd.Process.Pid
}

// TestStreamServer is no test but the server of others, which ends with its input.
func TestStreamServer(t *testing.T) {
	name := os.Getenv(serveEnv)
	if name == "" {
		t.Skip("is run by other tests")
	}
	base, _ := serveStreams(t, name)
	fmt.Println(base)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// Stalled readers and writers cost the others nothing but their share.
func TestStalledStreamsHurtNobody(t *testing.T) {
	base, _ := serveStreams(t, "ipc")
	const streams, size = 32, 1 << 20
	for range streams { // downloads that nobody reads, longer than all buffers between
		res, err := download(t.Context(), base, 1<<30)
		require.NoError(t, err)
		defer res.Body.Close()
	}
	var done sync.WaitGroup
	for range streams {
		done.Go(func() {
			res, err := download(t.Context(), base, size)
			if !assert.NoError(t, err) {
				return
			}
			n, err := io.Copy(io.Discard, res.Body)
			assert.NoError(t, err)
			assert.Equal(t, int64(size), n)
			_ = res.Body.Close()
		})
	}
	done.Wait()
	assert.Equal(t, `{"ok":true,"result":8}`, postAdd(t, base))
}

// What a task flushes arrives before there is anything else.
func TestHeadersAreFlushed(t *testing.T) {
	base := testapp.ServeAsIs(t, testapp.RunnerApp(t, testapp.FullApp), tunnel.Config{Tokens: []string{"secret"}})
	ctx, leave := context.WithTimeout(t.Context(), hang)
	defer leave()
	steps := strings.NewReader(`{"input":{"steps":[["writeHead",202,{"x-a":"b"}],["flushHeaders"],{"wait":600000}]}}`)
	res, err := sendTo(ctx, base, "full.tasks.response", "application/json", steps)
	require.NoError(t, err)
	assert.Equal(t, 202, res.StatusCode)
	assert.Equal(t, "b", res.Header.Get("x-a"))
	leave()
	_, err = res.Body.Read(make([]byte, 1))
	assert.ErrorIs(t, err, context.Canceled)
	require.NoError(t, res.Body.Close())
	http.DefaultClient.CloseIdleConnections()
}

// A task that listens for the bytes of a body which has become its input hears that there
// are none, or of the end.
func TestJSONForTasksThatHear(t *testing.T) {
	base := testapp.ServeAsIs(t, testapp.RunnerApp(t, testapp.FullApp), tunnel.Config{Tokens: []string{"secret"}})
	ctx, leave := context.WithTimeout(t.Context(), hang)
	defer leave()
	for task, want := range map[string]string{
		"bodyHeard": `{"ok":false,"error":{"message":"The task takes a body of type application/octet-stream","code":"UNSUPPORTED_MEDIA_TYPE"}}`,
		"bodyEnded": `{"ok":true,"result":""}`,
	} {
		res, err := sendTo(ctx, base, "full.tasks."+task, "application/json", strings.NewReader(`{"input":1}`))
		require.NoError(t, err)
		answer, err := io.ReadAll(res.Body)
		require.NoError(t, errors.Join(err, res.Body.Close()))
		assert.Equal(t, want, string(answer), task)
	}
	http.DefaultClient.CloseIdleConnections()
}

// A Runner application that fails before the first byte is answered by an error, and one
// that fails later ends the connection.
func TestRunnerTasksThatFailInAStream(t *testing.T) {
	base := testapp.ServeAsIs(t, testapp.RunnerApp(t, testapp.FullApp), tunnel.Config{Tokens: []string{"secret"}})
	ctx, leave := context.WithTimeout(t.Context(), hang)
	defer leave()
	coded := `{"ok":false,"error":{"message":"Coded","code":"INTERNAL_ERROR","id":"full.errors.coded","data":{},"httpCode":422}}`
	for name, c := range map[string]struct {
		task, input, answer string
		status              int
		cut                 bool
	}{
		"at once":                   {"kit.stream", `{"size":0,"fail":true}`, `{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}`, 500, false},
		"at once, typed":            {"full.tasks.stream", `{"fails":"coded"}`, coded, 422, false},
		"half-way":                  {"kit.stream", `{"size":5,"fail":true}`, "xxxxx", 200, true},
		"half-way, typed":           {"full.tasks.stream", `{"chunks":["some"],"fails":"coded","status":201}`, "some", 201, true},
		"behind a head of its own":  {"full.tasks.response", `{"steps":[["writeHead",201,{"x-a":"b"}],{"throws":"coded"}]}`, coded, 422, false},
		"behind bytes of its own":   {"full.tasks.response", `{"steps":[["write","some"],{"wait":20},{"throws":"coded"}]}`, "some", 200, true},
		"by a head behind the head": {"full.tasks.response", `{"steps":[["write","some"],{"wait":20},["writeHead",201]]}`, "some", 200, true},
	} {
		res, err := sendTo(ctx, base, c.task, "application/json", strings.NewReader(`{"input":`+c.input+`}`))
		require.NoError(t, err, name)
		answer, err := io.ReadAll(res.Body)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, c.cut, err != nil, "%s: the connection ends inside the body, but: %v", name, err)
		assert.Equal(t, c.answer, string(answer), name)
		assert.Equal(t, c.status, res.StatusCode, name)
	}
	http.DefaultClient.CloseIdleConnections()
}

func postAdd(t testing.TB, base string) string {
	res, err := sendTo(t.Context(), base, "add", "application/json", strings.NewReader(testapp.AddBody))
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(answer)
}

// A client that dies in the middle leaves nothing behind.
func TestClientsThatDie(t *testing.T) {
	rounds := 40
	if long() {
		rounds = 1000
	}
	base, exec := serveStreams(t, "ipc")
	postAdd(t, base)
	files, goroutines := openFiles(t), runtime.NumGoroutine()
	for n := range rounds {
		conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		require.NoError(t, err)
		if n%2 == 0 {
			_, err = fmt.Fprintf(conn, "POST /__runner/task/drain HTTP/1.1\r\nHost: x\r\nx-runner-token: secret\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000000\r\n\r\n")
			require.NoError(t, err)
			_, err = conn.Write(make([]byte, rand.IntN(1<<20)))
			require.NoError(t, err)
		} else {
			body := `{"input":{"size":1000000000,"seed":7}}`
			_, err = fmt.Fprintf(conn, "POST /__runner/task/source HTTP/1.1\r\nHost: x\r\nx-runner-token: secret\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			require.NoError(t, err)
			_, err = io.CopyN(io.Discard, conn, 1+rand.Int64N(1<<20))
			require.NoError(t, err)
		}
		require.NoError(t, conn.(*net.TCPConn).SetLinger(0)) // dies, and does not say good-bye
		require.NoError(t, conn.Close())
	}
	pool := exec.(*ipc.Pool)
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == 0 }, 30*time.Second, time.Millisecond)
	// An upload may die before its handler has started; a download has had an answer.
	require.Eventually(t, func() bool { return number(t, base, "running") == 0 }, 30*time.Second, 10*time.Millisecond, "signals")
	assert.GreaterOrEqual(t, number(t, base, "started"), float64(rounds/2))
	http.DefaultClient.CloseIdleConnections()
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines }, 30*time.Second, 10*time.Millisecond, "goroutines")
	require.Eventually(t, func() bool { return openFiles(t) <= files }, 30*time.Second, 10*time.Millisecond, "files")
}

func openFiles(t testing.TB) int {
	if runtime.GOOS != "linux" {
		return 0
	}
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

// BenchmarkStream moves 64 MiB per operation over one connection, through a bare
// handler (the limit) and both executors. Only ratios within one run mean something.
func BenchmarkStream(b *testing.B) {
	const size = 64 << 20
	bare := http.NewServeMux()
	bare.HandleFunc("/__runner/task/drain", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, r.Body, make([]byte, 64<<10))
	})
	bare.HandleFunc("/__runner/task/source", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyBuffer(struct{ io.Writer }{w}, newSource(size, 7), make([]byte, 64<<10))
	})
	server := httptest.NewServer(bare)
	b.Cleanup(server.Close)
	bases := map[string]string{"bare": server.URL}
	for _, name := range []string{"standalone", "ipc"} {
		bases[name], _ = serveStreams(b, name)
	}
	for _, name := range []string{"bare", "standalone", "ipc"} {
		b.Run("upload/"+name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				res, err := octets(b.Context(), bases[name], "drain", io.LimitReader(newSource(size, 7), size))
				require.NoError(b, err)
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
		})
		b.Run("download/"+name, func(b *testing.B) {
			b.SetBytes(size)
			buf := make([]byte, 256<<10)
			for b.Loop() {
				res, err := download(b.Context(), bases[name], size)
				require.NoError(b, err)
				n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{res.Body}, buf)
				require.NoError(b, err)
				require.EqualValues(b, size, n)
				_ = res.Body.Close()
			}
		})
	}
	http.DefaultClient.CloseIdleConnections()
}

// BenchmarkStalledStreams shares 32 downloads of 4 MiB per operation through one worker,
// alone and beside as many that nobody reads.
func BenchmarkStalledStreams(b *testing.B) {
	const streams, size = 32, 4 << 20
	for _, stalled := range []int{0, streams} {
		b.Run(fmt.Sprintf("beside-%d", stalled), func(b *testing.B) {
			base, _ := serveStreams(b, "ipc")
			for range stalled {
				res, err := download(b.Context(), base, 1<<40)
				require.NoError(b, err)
				b.Cleanup(func() { _ = res.Body.Close() })
			}
			share := func() {
				var done sync.WaitGroup
				for range streams {
					done.Go(func() {
						res, err := download(b.Context(), base, size)
						if err != nil {
							b.Error(err)
							return
						}
						_, _ = io.Copy(io.Discard, res.Body)
						_ = res.Body.Close()
					})
				}
				done.Wait()
			}
			for range 4 {
				share() // while the stalled ones still fill the buffers on their way
			}
			b.SetBytes(streams * size)
			for b.Loop() {
				share()
			}
		})
	}
}

// BenchmarkSmallCallsBesideUploads times small calls, one after the other, while 8
// uploads run flat out through the same worker.
func BenchmarkSmallCallsBesideUploads(b *testing.B) {
	for _, uploads := range []int{0, 8} {
		b.Run(fmt.Sprintf("beside-%d", uploads), func(b *testing.B) {
			base, _ := serveStreams(b, "ipc")
			ctx, cancel := context.WithCancel(b.Context())
			var running sync.WaitGroup
			for range uploads {
				running.Go(func() {
					if res, err := octets(ctx, base, "drain", newSource(1<<40, 7)); err == nil {
						_ = res.Body.Close()
					}
				})
			}
			times := make([]time.Duration, 0, 10_000)
			for b.Loop() {
				begin := time.Now()
				postAdd(b, base)
				times = append(times, time.Since(begin))
			}
			cancel()
			running.Wait()
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
