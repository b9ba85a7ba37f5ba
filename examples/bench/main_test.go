package main

import (
	"bufio"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	tunnel "github.com/bluelibs/go-tunnel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHistogram(t *testing.T) {
	for _, v := range []uint64{0, 1, 63, 64, 127, 128, 129, 1000, 123_456_789, 1 << 40, math.MaxInt64} {
		middle := float64(value(bucket(v)))
		assert.InDelta(t, float64(v), middle, float64(v)/64, v)
	}
	var h histogram
	assert.Zero(t, h.quantile(0.5))
	for i := range 100 {
		h.add(time.Duration(i+1) * time.Millisecond)
	}
	h.add(-1)
	assert.EqualValues(t, 101, h.count())
	assert.InEpsilon(t, 50*time.Millisecond, h.quantile(0.50), 0.02)
	assert.InEpsilon(t, 99*time.Millisecond, h.quantile(0.99), 0.02)
	assert.InEpsilon(t, 100*time.Millisecond, h.quantile(1), 0.02)
	assert.Zero(t, h.quantile(0))
}

func TestParseProc(t *testing.T) {
	cpu, err := parseStat("7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 3 0 0 20 0 1 0 9\n")
	require.NoError(t, err)
	assert.Equal(t, 2530*time.Millisecond, cpu)
	calls, err := parseIO("rchar: 1\nwchar: 2\nsyscr: 30\nsyscw: 4\nread_bytes: 5\n")
	require.NoError(t, err)
	assert.EqualValues(t, 34, calls)
	pages, err := parseStatm("100 25 3 1 0 8 0\n")
	require.NoError(t, err)
	assert.EqualValues(t, 25, pages)
	for _, text := range []string{"", "7 (node", "7 (node) S 1", "7 (node) S 1 2 3 4 5 6 7 8 9 10 x 3"} {
		_, err := parseStat(text)
		assert.Error(t, err, text)
	}
	_, err = parseStatm("1")
	assert.Error(t, err)
}

func TestReadAnswer(t *testing.T) {
	answer := func(text string) error {
		in := bufio.NewReader(strings.NewReader(text))
		status, length, err := readHead(in)
		if err != nil {
			return err
		}
		return readBody(in, status, length, []byte("right"))
	}
	assert.NoError(t, answer("HTTP/1.1 200 OK\r\ndate: now\r\nConTent-Length:  5 \r\n\r\nright"))
	for _, wrong := range []string{
		"", "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 2\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nright",
		"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nright",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nrigh",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong",
		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nright!",
		"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nright",
	} {
		assert.Error(t, answer(wrong), wrong)
	}
}

func FuzzReadHead(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright")
	f.Fuzz(func(t *testing.T, text string) {
		in := bufio.NewReader(strings.NewReader(text))
		if status, length, err := readHead(in); err == nil {
			_ = readBody(in, status, length, []byte("right"))
		}
	})
}

// Every load gets its answer from the Go contenders, and none without the token.
func TestDrive(t *testing.T) {
	all, err := loads()
	require.NoError(t, err)
	for name, handler := range map[string]http.Handler{"bare": bare(), "standalone": tunnel.New(newRegistry(), tunnel.Config{Tokens: []string{token}})} {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		addr := strings.TrimPrefix(server.URL, "http://")
		for _, l := range all {
			l.connections = min(l.connections, 3)
			marks := 0
			done, err := drive(t.Context(), addr, &l, 0, time.Nanosecond, func() error { marks++; return nil })
			require.NoError(t, err, "%s, %s", name, l.name)
			assert.Equal(t, 2, marks)
			assert.Nil(t, done.err.Load(), "%s, %s", name, l.name)
			assert.Zero(t, done.failed.Load())
			require.NoError(t, checkToken(t.Context(), addr, &l))
		}
	}
}

func TestDriveFailures(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"ok":true,"result":9}`)
	}))
	t.Cleanup(server.Close)
	addr := strings.TrimPrefix(server.URL, "http://")
	all, err := loads()
	require.NoError(t, err)
	mark := func() error { return nil }
	done, err := drive(t.Context(), addr, &all[0], 0, time.Minute, mark)
	require.NoError(t, err)
	assert.EqualValues(t, 1, done.failed.Load())
	assert.ErrorContains(t, *done.err.Load(), "a wrong answer")
	assert.ErrorContains(t, checkToken(t.Context(), addr, &all[0]), "got 200")

	_, err = drive(t.Context(), addr, &all[0], 0, 0, func() error { return io.ErrClosedPipe })
	assert.ErrorIs(t, err, io.ErrClosedPipe)

	ctx, cancel := context.WithCancel(t.Context())
	all[1].connections = 2
	_, err = drive(ctx, addr, &all[1], 0, time.Minute, func() error { cancel(); return nil })
	assert.Error(t, err)
}

func TestChoose(t *testing.T) {
	for only, want := range map[string]struct{ contenders, loads int }{
		"":                      {7, 8},
		"node, bare":            {2, 8},
		"wait":                  {7, 1},
		"node,small-1,small-64": {1, 2},
	} {
		var b bench
		require.NoError(t, b.choose(only))
		assert.Len(t, b.contenders, want.contenders, only)
		assert.Len(t, b.loads, want.loads, only)
	}
	assert.ErrorContains(t, new(bench).choose("node,smal-1"), "smal-1")
}

func TestTargets(t *testing.T) {
	r := newResults()
	put := func(contender, load string, figure int, values ...float64) {
		for _, v := range values {
			f := unknown()
			f[figure] = v
			r.add(contender, load, f)
		}
	}
	put("ipc-runner", "small-64", rate, 30, 1, 70)
	put("exposure", "small-64", rate, 5, 4)
	put("ipc-module", "cpu-1", rate, 100)
	put("ipc-module", "cpu-2", rate, 169)
	put("bare", "wait", rate, 90000)
	put("standalone", "wait", rate, 38000)
	put("standalone", "wait", failures, 0, 1)
	verdicts := map[string]string{}
	for _, target := range r.targets(contenders()) {
		verdicts[target.what] = target.bounds() + " " + number(target.value) + " " + target.verdict()
	}
	assert.Equal(t, "≥ 6 6.67 met", verdicts["Runner application / its 5.5.0 exposure, requests per second"])
	assert.Equal(t, "≤ 0.25 – not measured", verdicts["the same, p99"])
	assert.Equal(t, "≥ 1.70 1.69 **not met**", verdicts["go-tunnel, task module: CPU-bound, two workers / one"])
	assert.Equal(t, "≥ 38000 38000 met", verdicts["go-tunnel, tasks in Go: requests per second, of at most 40000"])
	assert.Equal(t, "≤ 0 1 **not met**", verdicts["go-tunnel, tasks in Go: failed requests"])
}

func TestResults(t *testing.T) {
	r := newResults()
	assert.True(t, math.IsNaN(r.median("a", "l", rate)))
	assert.True(t, math.IsNaN(r.total("a", "l", rate)))
	for _, v := range []float64{4, math.NaN(), 1, 3, 2} {
		f := unknown()
		f[rate] = v
		r.add("a", "l", f)
	}
	assert.Equal(t, 2.5, r.median("a", "l", rate))
	assert.Equal(t, 1.2, r.spread("a", "l", rate))
	assert.Equal(t, 10.0, r.total("a", "l", rate))
}

func TestChartIsXML(t *testing.T) {
	var b bench
	require.NoError(t, b.choose("small-64"))
	b.contenders[0].title = `<&">`
	r := newResults()
	for _, c := range b.contenders {
		r.add(c.name, "small-64", figures{})
	}
	in := xml.NewDecoder(strings.NewReader(b.chart(r, &b.loads[0], machine{cpu: "<AMD>"})))
	for {
		_, err := in.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}
