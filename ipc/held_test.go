package ipc

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A held worker answers a call by its task's id: "held" when a file is there whose name
// it has from its environment, "never" not at all, every other at once. It runs in a
// child process, on either wire.
func held(name string) {
	calls, answers := os.Stdin, os.Stdout
	if name == "held: framed" {
		calls, answers = os.NewFile(3, "calls"), os.NewFile(4, "answers")
		fmt.Fprintln(answers, `{"type":"hello","wire":1}`)
	}
	in := bufio.NewReader(calls)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var m struct {
			Type, TaskID string
			ID, N        int
		}
		if err := json.Unmarshal(line, &m); err != nil {
			panic(err)
		}
		if _, err := in.Discard(m.N); err != nil {
			return
		}
		answer := func() { fmt.Fprintf(answers, `{"id":%d,"ok":true,"result":%q}`+"\n", m.ID, m.TaskID) }
		switch {
		case m.Type == "ping":
			fmt.Fprintln(answers, `{"type":"pong","id":0}`)
		case m.Type != "task" || m.TaskID == "never":
		case m.TaskID == "held":
			go func() {
				for {
					if _, err := os.Stat(os.Getenv("IPC_TEST_HELD")); err == nil {
						answer()
						return
					}
					time.Sleep(time.Millisecond)
				}
			}()
		case m.TaskID == "block":
			for {
				time.Sleep(time.Hour)
			}
		case m.TaskID == "exit":
			os.Exit(9)
		case strings.HasPrefix(m.TaskID, "pid"):
			fmt.Fprintf(answers, `{"id":%d,"ok":true,"result":%s}`+"\n", m.ID, strconv.Itoa(os.Getpid()))
		default:
			answer()
		}
	}
}

// startHeld starts a pool of held workers on a wire, and returns what lets them answer.
func startHeld(t testing.TB, wire string, change ...func(*Options)) (pool *Pool, answers func()) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "answers")
	return start(t, heldOptions(wire, file), change...), func() { require.NoError(t, os.WriteFile(file, nil, 0o600)) }
}

func heldOptions(wire, file string) Options {
	return Options{
		Command: []string{os.Args[0]},
		Env:     append(os.Environ(), "IPC_TEST_WORKER=held: "+wire, "IPC_TEST_HELD="+file),
		Plain:   wire == "plain",
	}
}

// eventually waits for something that has no event of its own.
func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, time.Millisecond)
}
