package ipc

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
)

// BenchmarkPool runs a trivial task through one worker, by one caller and by 64 at
// once, on either wire; "echo" is the limit: the same lines through a process that
// sends back what it reads, with no answer to find and nobody to wake. Only ratios
// within one run mean something.
func BenchmarkPool(b *testing.B) {
	module := filepath.Join(b.TempDir(), "tasks.mjs")
	require.NoError(b, os.WriteFile(module, []byte(`export const tasks = { "app.tasks.add": async ({ a, b }) => a + b };`), 0o600))
	node := Node(module)
	node.Logger = discard
	for _, callers := range []struct {
		name string
		n    int
	}{{"1-caller", 1}, {"64-callers", 64}} {
		b.Run("echo/"+callers.name, func(b *testing.B) { benchmarkEcho(b, callers.n) })
		b.Run("framed/"+callers.name, func(b *testing.B) { benchmarkPool(b, node, callers.n) })
		b.Run("plain/"+callers.name, func(b *testing.B) {
			benchmarkPool(b, Options{Command: []string{"node", nodeWorker}, Wire: PlainWire, Logger: discard}, callers.n)
		})
	}
}

func benchmarkPool(b *testing.B, opts Options, callers int) {
	pool, err := Start(context.Background(), opts)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, pool.Close()) })
	call := task("app.tasks.add", `{"a":5,"b":3}`)
	run := func() {
		reply, err := pool.Execute(b.Context(), call)
		if err != nil || string(reply.Value) != "8" {
			b.Error(reply, err)
		}
	}
	for range 1000 {
		run()
	}
	b.ReportAllocs()
	measure(b, func() {
		if callers == 1 {
			for range b.N {
				run()
			}
			return
		}
		b.SetParallelism(callers / 2)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				run()
			}
		})
	})
}

// benchmarkEcho keeps so many lines under way.
func benchmarkEcho(b *testing.B, lines int) {
	cmd := exec.Command("node", "--eval", `
		const net = require("node:net");
		const out = new net.Socket({ fd: 1, readable: false, writable: true });
		new net.Socket({ fd: 0, readable: true, writable: false }).on("data", (chunk) => out.write(chunk)).on("end", () => process.exit(0));
	`)
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		require.NoError(b, in.Close())
		require.NoError(b, cmd.Wait())
	})
	line := wire.AppendCall(nil, 1000, task("app.tasks.add", `{"a":5,"b":3}`), nil, "")
	line = append(line, '\n') // the payload has none
	perCall := bytes.Count(line, []byte("\n"))
	batch, buf := bytes.Repeat(line, lines), make([]byte, 64<<10)
	echo := func(n int) {
		for sent, seen, broken := 0, 0, 0; seen < n; {
			if more := min(n, seen+lines) - sent; more > 0 {
				_, err := in.Write(batch[:more*len(line)])
				require.NoError(b, err)
				sent += more
			}
			size, err := out.Read(buf)
			require.NoError(b, err)
			broken += bytes.Count(buf[:size], []byte("\n"))
			seen = broken / perCall
		}
	}
	echo(1000)
	measure(b, func() { echo(b.N) })
}

// measure reports calls a second, and how much CPU this process uses for each.
func measure(b *testing.B, run func()) {
	before := cpuTime(b)
	b.ResetTimer()
	run()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/1e3/float64(b.N), "go-cpu-us/call")
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
