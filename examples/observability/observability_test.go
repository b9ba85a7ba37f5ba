package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/ipc"

	tunnel "github.com/bluelibs/go-tunnel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves the example's tasks on real workers. Calls and ops are the base URLs.
func start(t *testing.T) (calls, ops string, spans *tracetest.SpanRecorder, stopOps func()) {
	t.Helper()
	opts := ipc.Node("tasks.mjs")
	opts.Workers = 2
	pool, err := ipc.Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, pool.Close()) })
	spans = tracetest.NewSpanRecorder()
	handler, registry := observed(pool, tunnel.Config{Tokens: []string{"secret"}}, sdk.NewTracerProvider(sdk.WithSpanProcessor(spans)))
	server, opsServer := httptest.NewServer(handler), httptest.NewServer(newOps(registry))
	t.Cleanup(server.Close)
	t.Cleanup(opsServer.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return server.URL + "/__runner", opsServer.URL, spans, func() {
		opsServer.CloseClientConnections()
		opsServer.Close()
	}
}

func post(t *testing.T, url, body string, header ...string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("x-runner-token", "secret")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return do(t, r)
}

func get(t *testing.T, url string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	return do(t, r)
}

func do(t *testing.T, r *http.Request) (status int, answer string) {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

// One trace: the caller's span, that of the call in Go, and the Node.js handler in it.
func TestTraceReachesTheNodeHandler(t *testing.T) {
	calls, _, spans, _ := start(t)
	const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	status, answer := post(t, calls+"/task/app.tasks.trace", "", "traceparent", "00-"+trace+"-"+caller+"-01")
	require.Equal(t, 200, status, answer)
	require.Len(t, spans.Ended(), 1)
	span := spans.Ended()[0]
	assert.Equal(t, trace, span.SpanContext().TraceID().String())
	assert.Equal(t, caller, span.Parent().SpanID().String())
	assert.JSONEq(t, fmt.Sprintf(`{"ok":true,"result":"00-%s-%s-01"}`, trace, span.SpanContext().SpanID()), answer)
}

func TestMetricsParse(t *testing.T) {
	calls, ops, _, _ := start(t)
	for path, want := range map[string]int{"task/app.tasks.add": 200, "task/app.tasks.fail": 500, "task/app.tasks.crash": 502, "task/other": 403} {
		status, answer := post(t, calls+"/"+path, `{"input":{"a":1,"b":2}}`)
		require.Equal(t, want, status, answer)
	}
	var text string
	for crash := `tunnel_pool_worker_exits_total{reason="crash"} 1` + "\n"; !strings.Contains(text, crash); {
		require.NoError(t, t.Context().Err())
		_, text = get(t, ops+"/metrics") // the caller may know before the pool has counted
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	require.NoError(t, err)
	for _, name := range []string{"tunnel_requests_total", "tunnel_request_duration_seconds", "tunnel_http_answers_total", "tunnel_pool_workers", "tunnel_pool_queue_wait_seconds", "go_goroutines"} {
		assert.Contains(t, families, name)
	}
	for _, line := range []string{
		`tunnel_requests_total{code="OK",id="app.tasks.add",kind="task"} 1`,
		`tunnel_requests_total{code="INTERNAL_ERROR",id="app.tasks.fail",kind="task"} 1`,
		`tunnel_requests_total{code="WORKER_CRASHED",id="app.tasks.crash",kind="task"} 1`,
		`tunnel_http_answers_total{code="403"} 1`,
	} {
		assert.Contains(t, text, line+"\n")
	}
	assert.NotContains(t, text, "other\"", "no series for ids that callers make up")
}

func TestDashboard(t *testing.T) {
	b := openBrowser(t)
	calls, ops, _, stopOps := start(t)
	b.call("Page.navigate", map[string]any{"url": ops}, nil)
	b.waitFor(`document.querySelector("#status")?.textContent === "Live"`)
	cells := func(table string) string {
		return fmt.Sprintf(`[...document.querySelectorAll("#%s tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent))`, table)
	}
	b.waitFor(cells("workers") + `.map((row) => row[1]).join() === "ready,ready"`)

	for range 3 {
		post(t, calls+"/task/app.tasks.add", `{"input":{"a":1,"b":2}}`)
	}
	post(t, calls+"/task/app.tasks.fail", "")
	b.waitFor(cells("calls") + `.map((row) => row.slice(0, 3).join(" ")).sort().join() === "app.tasks.add OK 3,app.tasks.fail INTERNAL_ERROR 1"`)
	b.waitFor(`parseFloat(document.querySelector("#rate").textContent) > 0 && /ms|s$/.test(document.querySelector("#p99").textContent)`)

	post(t, calls+"/task/app.tasks.crash", "")
	b.waitFor(cells("exits") + `.map((row) => row.join(" ")).join() === "crash 1"`)
	b.waitFor(cells("workers") + `.map((row) => row[5]).sort().join() === "1,2"`)

	var tree struct {
		Nodes []struct {
			Ignored    bool
			Role, Name struct{ Value string }
		}
	}
	b.call("Accessibility.getFullAXTree", nil, &tree)
	var named []string
	for _, node := range tree.Nodes {
		named = append(named, node.Role.Value+": "+node.Name.Value)
		assert.False(t, !node.Ignored && node.Role.Value == "image" && node.Name.Value == "", "an image without a name")
	}
	for _, want := range []string{"heading: Tunnel", "table: Calls", "table: Workers", "table: Ends of workers", "columnheader: State", "rowheader: app.tasks.add"} {
		assert.Contains(t, named, want)
	}
	assert.Contains(t, strings.Join(named, "\n"), "main: ")
	assert.Contains(t, strings.Join(named, "\n"), "status: ")
	assert.Contains(t, strings.Join(named, "\n"), ": Calls a second in the last minute: now")

	colors := map[string]any{}
	for _, scheme := range []string{"light", "dark"} {
		b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
		colors[scheme] = b.evaluate(`(({ color, backgroundColor }) => color + " on " + backgroundColor)(getComputedStyle(document.body))`)
	}
	assert.Equal(t, map[string]any{"light": "rgb(0, 0, 0) on rgb(255, 255, 255)", "dark": "rgb(255, 255, 255) on rgb(18, 18, 18)"}, colors)
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": true}, nil)
	assert.Equal(t, true, b.evaluate(`document.documentElement.scrollWidth <= 320`), "fits a narrow window")
	assert.Empty(t, b.complaints(), "errors in the console, breaches of the policy among them")

	if path := os.Getenv("SCREENSHOT"); path != "" {
		b.call("Emulation.clearDeviceMetricsOverride", nil, nil)
		var shot struct{ Data []byte }
		b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot)
		require.NoError(t, os.WriteFile(path, shot.Data, 0o600))
	}
	stopOps()
	b.waitFor(`document.querySelector("#status.late")?.textContent.startsWith("No figures")`)
}

func TestProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "observability")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.CommandContext(t.Context(), program, "-addr", "127.0.0.1:0", "-ops", "127.0.0.1:0", "-workers", "1", "-traces")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var calls, ops string
	lines := bufio.NewScanner(stdout)
	for calls == "" && lines.Scan() {
		_, _ = fmt.Sscanf(lines.Text(), "Dashboard on %s", &ops)
		_, _ = fmt.Sscanf(lines.Text(), "Listening on %s", &calls)
	}
	require.NotEmpty(t, calls)
	status, answer := post(t, calls+"/task/app.tasks.add", `{"input":{"a":5,"b":3}}`)
	assert.Equal(t, 200, status)
	assert.Equal(t, `{"ok":true,"result":8}`, answer)
	_, page := get(t, ops)
	assert.Equal(t, string(dashboard), page)
	_, text := get(t, ops+"metrics")
	assert.Contains(t, text, `tunnel_requests_total{code="OK",id="app.tasks.add",kind="task"} 1`)
	http.DefaultClient.CloseIdleConnections()

	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	names := []string{}
	for lines.Scan() {
		span := struct{ Name string }{}
		if json.Unmarshal(lines.Bytes(), &span) == nil {
			names = append(names, span.Name)
		}
	}
	assert.NoError(t, cmd.Wait(), "a graceful stop")
	assert.Equal(t, []string{"task app.tasks.add"}, names, "spans that were not sent yet are sent at the end")
}
