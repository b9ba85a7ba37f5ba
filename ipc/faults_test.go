package ipc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc/internal/backoff"
	"github.com/bluelibs/go-tunnel/ipc/internal/pipe"
	"github.com/bluelibs/go-tunnel/ipc/internal/proc"
	"github.com/bluelibs/go-tunnel/protocol"
)

// misbehave is a worker that breaks one rule. It runs in a child process.
func misbehave(name string) {
	calls := bufio.NewScanner(os.Stdin)
	next := func() (id int) {
		if !calls.Scan() {
			os.Exit(0)
		}
		var call struct{ ID int }
		if err := json.Unmarshal(calls.Bytes(), &call); err != nil {
			panic(err)
		}
		return call.ID
	}
	answer := func(id int) { fmt.Printf(`{"id":%d,"ok":true,"result":%d}`+"\n", id, id) }

	switch name {
	case "dies at once":
		os.Exit(7)
	case "answers, then exits":
		id := next()
		count, err := os.OpenFile(os.Getenv("IPC_TEST_COUNT"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Fprint(count, "x")
		answer(id)
	case "answers many, then exits":
		for range backoff.HealthyCalls - 1 {
			answer(next())
		}
		last := next()
		count, err := os.OpenFile(os.Getenv("IPC_TEST_COUNT"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Fprint(count, "x")
		answer(last)
	case "reads one of four calls, then exits":
		if _, err := os.Stat(os.Getenv("IPC_TEST_COUNT")); err == nil { // its successor behaves
			for {
				answer(next())
			}
		}
		if err := os.WriteFile(os.Getenv("IPC_TEST_COUNT"), nil, 0o600); err != nil {
			panic(err)
		}
		line := []byte{0}
		for line[0] != '\n' { // byte by byte, and not one more
			if _, err := os.Stdin.Read(line); err != nil {
				panic(err)
			}
		}
		for pipe.Unread(os.Stdin) < 3*int64(len(`{"type":"task","id":1,"taskId":"any"}`+"\n")) {
			runtime.Gosched()
		}
		os.Exit(1)
	case "exits while busy":
		next()
	case "half an answer":
		fmt.Printf(`{"id":%d,"ok":true,"resu`, next())
	case "everything wrong, then dies":
		id := next()
		fmt.Println("garbage")
		fmt.Println(strings.Repeat("x", 50<<20))
		answer(999)
		answer(id)
		answer(id)
		fmt.Print(`{"id":2,"ok":tr`)
	case "never reads":
		time.Sleep(time.Hour)
	case "ignores every request to stop":
		signal.Ignore(syscall.SIGTERM)
		for calls.Scan() {
		}
		time.Sleep(time.Hour)
	case "closes its output":
		next()
		os.Stdout.Close()
		time.Sleep(time.Hour)
	case "leaves a child with its pipes":
		child := exec.Command("sleep", "3600")
		child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			panic(err)
		}
		next()
		fmt.Fprintln(os.Stderr, "child", child.Process.Pid)
	default:
		panic("no such worker: " + name)
	}
}

// startFaulty starts a pool of one misbehaving worker. What is logged goes to the buffer.
func startFaulty(t *testing.T, name string, change ...func(*Options)) (*Pool, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	return start(t, Options{
		Command: []string{os.Args[0]},
		Env:     append(os.Environ(), "IPC_TEST_WORKER="+name),
		Wire:    PlainWire,
	}, append([]func(*Options){func(o *Options) { o.Logger = log.logger() }}, change...)...), log
}

func task(id, payload string) *protocol.Call {
	call := &protocol.Call{ID: id}
	if payload != "" {
		call.Payload = []byte(payload)
	}
	return call
}

func requireCode(t *testing.T, want protocol.Code, err error) {
	t.Helper()
	var e *protocol.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, want, e.Code, "%v", err)
}

func TestWorkerThatEndsWithACall(t *testing.T) {
	for _, name := range []string{"exits while busy", "half an answer", "closes its output", "leaves a child with its pipes"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, _ := startFaulty(t, name)
			_, err := pool.Execute(t.Context(), task("any", ""))
			requireCode(t, protocol.CodeWorkerCrashed, err)
		})
	}
}

// What a dead worker has not read another one gets, since it cannot have run.
func TestCallsThatADeadWorkerNeverRead(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what is left in a pipe is known on Linux only")
	}
	pool, _ := startFaulty(t, "reads one of four calls, then exits", func(o *Options) {
		o.Env = append(o.Env, "IPC_TEST_COUNT="+filepath.Join(t.TempDir(), "count"))
	})
	outcomes := make(chan error, 4)
	for range cap(outcomes) {
		go func() {
			_, err := pool.Execute(t.Context(), task("any", ""))
			outcomes <- err
		}()
	}
	crashed := 0
	for range cap(outcomes) {
		if err := <-outcomes; err != nil {
			requireCode(t, protocol.CodeWorkerCrashed, err)
			crashed++
		}
	}
	assert.Equal(t, 1, crashed, "the one that was read")
	assert.EqualValues(t, 3, pool.Stats().Retries)
}

// A worker that takes no more calls is as good as dead, even if it lives on: who waits for
// it learns so, and the others go to its successor.
func TestWorkerThatClosesItsInput(t *testing.T) {
	wires(t, func(t *testing.T, wire string) {
		file := filepath.Join(t.TempDir(), "answers")
		pool := start(t, heldOptions(wire, file), func(o *Options) { o.PingTimeout = -1 })
		first := execute(pool, "deaf")
		eventually(t, func() bool { _, err := os.Stat(file + ".deaf"); return err == nil })
		requireValue(t, `"other"`, pool, task("other", ""))
		requireCode(t, protocol.CodeWorkerCrashed, <-first)
		requireValue(t, `"deaf"`, pool, task("deaf", ""))
	})
	t.Run("with an upload", func(t *testing.T) { // which is not written by the one who writes the rest
		pool, _ := startHeld(t, "framed", func(o *Options) { o.PingTimeout = -1 })
		_, err := pool.Execute(t.Context(), &protocol.Call{ID: "deaf", Body: newBody(zeros{})})
		requireCode(t, protocol.CodeWorkerCrashed, err)
		requireValue(t, `"other"`, pool, task("other", ""))
	})
}

func TestWorkerThatDiesAtOnceLeavesThePoolAlive(t *testing.T) {
	pool, _ := startFaulty(t, "dies at once")
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].Starts > 3 }, 10*time.Second, time.Millisecond)
	_, err := pool.Execute(t.Context(), task("any", ""))
	var e *protocol.Error
	require.ErrorAs(t, err, &e)
	assert.Contains(t, []protocol.Code{protocol.CodeWorkerCrashed, protocol.CodeWorkerUnavailable}, e.Code)
}

func TestLastAnswerBeforeExitIsNotLost(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	pool, _ := startFaulty(t, "answers, then exits", func(o *Options) {
		o.Workers = 10
		o.Env = append(o.Env, "IPC_TEST_COUNT="+count)
	})
	var callers sync.WaitGroup
	var got atomic.Int64
	for range 4 * pool.opts.Workers { // most of them find a worker that has answered its one call
		callers.Go(func() {
			if reply, err := pool.Execute(t.Context(), task("any", "")); err == nil {
				assert.Equal(t, "1", string(reply.Value))
				got.Add(1)
			}
		})
	}
	callers.Wait()
	given, err := os.ReadFile(count)
	require.NoError(t, err)
	assert.EqualValues(t, len(given), got.Load())
}

func TestAnswerAmongGarbageArrives(t *testing.T) {
	pool, log := startFaulty(t, "everything wrong, then dies")
	reply, err := pool.Execute(t.Context(), task("any", ""))
	require.NoError(t, err)
	assert.Equal(t, "1", string(reply.Value))
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].Starts == 2 }, 10*time.Second, time.Millisecond)
	eventually(t, func() bool { return log.has("line=garbage") })
	eventually(t, func() bool { return log.has(fmt.Sprint("cutBytes=", 50<<20-proc.MaxLine)) })
	eventually(t, func() bool { return log.has(`line="{\"id\":2,\"ok\":tr"`) })
}

func TestWorkerThatNeverReads(t *testing.T) {
	pool, _ := startFaulty(t, "never reads")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	big := `"` + strings.Repeat("x", 1<<20) + `"` // more than a pipe holds
	failed := make(chan error, 3)
	for range cap(failed) {
		go func() {
			_, err := pool.Execute(ctx, task("any", big))
			failed <- err
		}()
	}
	require.Eventually(t, func() bool { return pool.Stats().Workers[0].InFlight == cap(failed) }, 10*time.Second, time.Millisecond)
	cancel()
	for range cap(failed) {
		require.ErrorIs(t, <-failed, context.Canceled)
	}
	assert.Equal(t, cap(failed), pool.Stats().Workers[0].InFlight, "it may still read them")
}

func TestShutdownForcesAWorkerThatIgnoresIt(t *testing.T) {
	pool, _ := startFaulty(t, "ignores every request to stop", func(o *Options) { o.StopTimeout = 50 * time.Millisecond })
	require.NoError(t, pool.Shutdown(t.Context()))
}

func TestNoChildOfAWorkerIsLeft(t *testing.T) {
	pool, log := startFaulty(t, "leaves a child with its pipes")
	_, err := pool.Execute(t.Context(), task("any", ""))
	requireCode(t, protocol.CodeWorkerCrashed, err)
	var pid int
	eventually(t, func() bool { return log.has(`line="child `) })
	_, line, _ := strings.Cut(log.String(), `line="child `)
	_, err = fmt.Sscanf(line, "%d", &pid)
	require.NoError(t, err, log.String())
	// It is init's to reap, so for a moment it may be a zombie.
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || bytes.Contains(stat, []byte(") Z "))
	}, 10*time.Second, time.Millisecond)
}
