package ipc

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A held worker does what the first word of a task's id says: "held" is answered when a
// file is there whose name it has from its environment, "never" not at all, what is no
// such word at once, with the id. It runs in a child process, on either wire.
func held(name string) {
	calls, answers := os.Stdin, os.Stdout
	if name == "held: framed" {
		calls, answers = os.NewFile(3, "calls"), os.NewFile(4, "answers")
		fmt.Fprintln(answers, `{"type":"hello","wire":1,"idempotent":["announced"]}`)
	}
	record, err := os.OpenFile(os.Getenv("IPC_TEST_HELD")+".record", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	in := bufio.NewReader(calls)
	polite := map[int]string{} // what is said when a call is cancelled
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var m struct {
			Type, TaskID string
			ID, N        int
			Body         bool
		}
		if err := json.Unmarshal(line, &m); err != nil {
			panic(err)
		}
		payload := make([]byte, m.N)
		if _, err := io.ReadFull(in, payload); err != nil {
			return
		}
		answer := func() { fmt.Fprintf(answers, `{"id":%d,"ok":true,"result":%q}`+"\n", m.ID, m.TaskID) }
		switch task, _, _ := strings.Cut(m.TaskID, " "); {
		case m.Type == "ping":
			fmt.Fprintln(answers, `{"type":"pong","id":0}`)
		case m.Type == "cancel":
			fmt.Fprint(answers, polite[m.ID])
			delete(polite, m.ID)
		case m.Type != "task" || task == "never":
		case task == "held":
			go func() {
				for {
					if _, err := os.Stat(os.Getenv("IPC_TEST_HELD")); err == nil {
						answer()
						return
					}
					time.Sleep(time.Millisecond)
				}
			}()
		case task == "block":
			for {
				time.Sleep(time.Hour)
			}
		case task == "stream", task == "polite-stream": // begins one that does not end, or when it is cancelled
			if task == "polite-stream" {
				polite[m.ID] = fmt.Sprintf(`{"type":"end","id":%d}`+"\n", m.ID)
			}
			fmt.Fprintf(answers, `{"id":%d,"ok":true,"stream":true}`+"\n"+`{"type":"data","id":%[1]d,"n":3}`+"\nabc", m.ID)
		case task == "abort": // as the runtime does
			polite[m.ID] = fmt.Sprintf(`{"id":%d,"ok":false,"error":{"code":"REQUEST_ABORTED","message":"Client Closed Request"}}`+"\n", m.ID)
		case task == "log": // says so much for the log, on the framed wire
			for i := range 10_000 {
				fmt.Fprintf(answers, `{"type":"log","level":"warn","message":"record %d"}`+"\n", i)
			}
			answer()
		case task == "deaf": // closes the input of the first worker that gets it
			mark := os.Getenv("IPC_TEST_HELD") + ".deaf"
			if _, err := os.Stat(mark); err == nil {
				answer()
				continue
			}
			if m.Body {
				fmt.Fprintf(answers, `{"type":"window","id":%d,"size":100000000}`+"\n", m.ID)
			}
			if err := errors.Join(calls.Close(), os.WriteFile(mark, nil, 0o600)); err != nil {
				panic(err)
			}
			time.Sleep(time.Hour)
		case task == "exit":
			os.Exit(9)
		case task == "once": // ends the first worker that gets it
			if _, err := os.Stat(os.Getenv("IPC_TEST_HELD")); err != nil {
				if err := os.WriteFile(os.Getenv("IPC_TEST_HELD"), nil, 0o600); err != nil {
					panic(err)
				}
				os.Exit(9)
			}
			answer()
		case task == "flood": // prints as fast as it can, 64 MiB
			go func() {
				line := []byte(strings.Repeat("x", 99) + "\n")
				chunk := bytes.Repeat(line, 1<<20/len(line))
				for range 64 {
					os.Stderr.Write(chunk)
				}
				fmt.Fprintln(os.Stderr, "the end")
				answer()
			}()
		case task == "noise": // prints so many lines where the answers are, on the plain wire
			go func() {
				var n int
				if _, err := fmt.Sscanf(m.TaskID, "noise %d", &n); err != nil {
					panic(err)
				}
				for i := range n {
					fmt.Fprintf(answers, `{"id":%d,"of":"some library"}`+"\n", i)
				}
				answer()
			}()
		case task == "print":
			fmt.Fprintln(os.Stderr, "a line")
			answer()
		case task == "record": // notes its input before it answers with it
			if _, err := fmt.Fprintf(record, "%s\n", payload); err != nil {
				panic(err)
			}
			time.AfterFunc(5*time.Millisecond, func() { fmt.Fprintf(answers, `{"id":%d,"ok":true,"result":%s}`+"\n", m.ID, payload) })
		case task == "pid":
			fmt.Fprintf(answers, `{"id":%d,"ok":true,"result":%d}`+"\n", m.ID, os.Getpid())
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
	opts := Options{
		Command: []string{os.Args[0]},
		Env:     append(os.Environ(), "IPC_TEST_WORKER=held: "+wire, "IPC_TEST_HELD="+file),
	}
	if wire == "plain" {
		opts.Wire = PlainWire
	}
	return opts
}

// eventually waits for something that has no event of its own.
func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, time.Millisecond)
}
