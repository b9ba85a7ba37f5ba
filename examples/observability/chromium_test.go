package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// browser is a headless Chromium with one page, driven over a pair of pipes by the
// DevTools protocol: JSON documents that end with a zero byte.
type browser struct {
	t       *testing.T
	ctx     context.Context
	in      *os.File
	session string
	last    int
	answers chan message

	mu       sync.Mutex
	problems []string // what the page's console complained of
}

type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct{ Message string }
}

// openBrowser skips the test where no Chromium is found. The environment variable
// BROWSER can name one.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{os.Getenv("BROWSER"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no browser is tested: there is no Chromium on PATH, nor does BROWSER name one")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	args := []string{"--headless", "--remote-debugging-pipe", "--user-data-dir=" + t.TempDir(), "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // it refuses to be root with one
	}
	cmd := exec.CommandContext(ctx, program, args...)
	theirIn, in, err := os.Pipe()
	require.NoError(t, err)
	out, theirOut, err := os.Pipe()
	require.NoError(t, err)
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	require.NoError(t, cmd.Start())
	require.NoError(t, theirIn.Close())
	require.NoError(t, theirOut.Close())

	b := &browser{t: t, ctx: ctx, in: in, answers: make(chan message)}
	var reading sync.WaitGroup
	reading.Go(func() { b.read(out) })
	t.Cleanup(func() {
		b.session = ""
		b.call("Browser.close", nil, nil)
		_ = cmd.Wait()
		cancel()
		reading.Wait()
		_, _ = in.Close(), out.Close()
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Runtime", "Log", "Page", "Accessibility"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

func (b *browser) read(out *os.File) {
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if err := json.Unmarshal(line[:len(line)-1], &m); err != nil {
			return
		}
		switch m.Method {
		case "":
			select {
			case b.answers <- m:
			case <-b.ctx.Done():
				return
			}
		case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
			b.mu.Lock()
			b.problems = append(b.problems, string(m.Params))
			b.mu.Unlock()
		}
	}
}

func (b *browser) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problems
}

// call sends one command and waits for its answer.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.last++
	command := map[string]any{"id": b.last, "method": method}
	if params != nil {
		command["params"] = params
	}
	if b.session != "" {
		command["sessionId"] = b.session
	}
	line, err := json.Marshal(command)
	require.NoError(b.t, err)
	_, err = b.in.Write(append(line, 0))
	require.NoError(b.t, err)
	select {
	case m := <-b.answers:
		require.Equal(b.t, b.last, m.ID)
		require.Nil(b.t, m.Error, method)
		if result != nil {
			require.NoError(b.t, json.Unmarshal(m.Result, result))
		}
	case <-b.ctx.Done():
		b.t.Fatalf("no answer to %s: %v", method, b.ctx.Err())
	}
}

// evaluate returns the value of an expression in the page, waiting for promises.
func (b *browser) evaluate(expression string) any {
	b.t.Helper()
	var result struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &result)
	require.Nil(b.t, result.ExceptionDetails, expression)
	return result.Result.Value
}

// waitFor waits until an expression about the page is true.
func (b *browser) waitFor(expression string) {
	b.t.Helper()
	what := b.evaluate(fmt.Sprintf(`new Promise((resolve) => {
		const end = performance.now() + 30000;
		const look = () => {
			if (%s) resolve("");
			else if (performance.now() > end) resolve(document.body.innerText);
			else setTimeout(look, 20);
		};
		look();
	})`, expression))
	require.Empty(b.t, what, "never true: %s", expression)
}
