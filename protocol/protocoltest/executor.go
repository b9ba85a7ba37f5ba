package protocoltest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/bluelibs/go-tunnel/protocol"
)

// Executor is the interface under test. It is the same as tunnel.Executor, which this package does
// not import.
type Executor interface {
	Execute(ctx context.Context, call *protocol.Call) (*protocol.Reply, error)
}

// RunExecutor checks the contract of tunnel.Executor for executors that serve the test
// application. Each case has a sentence of it. Run it with the race detector. NewExecutor must use
// t.Cleanup to close what it opens.
func RunExecutor(t *testing.T, newExecutor func(t *testing.T) Executor) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			explain(t, c.rule)
			c.test(t, newExecutor(t))
		})
	}
}

var contract = []struct {
	name, rule string
	test       func(*testing.T, Executor)
}{
	{"concurrent calls", "Execute may be called from many goroutines at once.", concurrentCalls},
	{"cancelled before", "Execute returns soon if ctx is done already.", cancelledBefore},
	{"cancelled under way", "Execute returns soon after ctx is done.", cancelledUnderWay},
	{"deadline under way", "Execute returns soon after ctx is done by its deadline.", deadlineUnderWay},
	{"no reference to a finished call", "Execute keeps no reference to the call after it has returned.", noReferenceFinished},
	{"no reference to a cancelled call", "Execute keeps no reference to a call that was cancelled either.", noReferenceCancelled},
	{"replies are their caller's", "A reply's Value stays as it is when other calls run.", repliesStay},
	{"reply or error", "Execute returns either a reply or an error, never both and never neither.", replyOrError},
	{"unknown id", "An id that is not served gives a *protocol.Error with CodeNotFound.", unknownID},
	{"private errors", "An error without a *protocol.Error in its chain is private.", privateErrors},
	{"public errors", "A *protocol.Error reaches the caller with all that the application put into it.", publicErrors},
	{"valid values", "A reply's Value is one valid JSON document, or nil.", validValues},
}

// newCall returns a call with its own memory, which the case may overwrite.
func newCall(kind protocol.Kind, id, payload string) *protocol.Call {
	c := &protocol.Call{
		Kind:      kind,
		ID:        id,
		RequestID: "conformance",
		Header:    http.Header{protocol.HeaderRequestID: {"conformance"}, "X-Conformance": {"untouched"}},
	}
	if payload != "" {
		c.Payload = []byte(payload)
	}
	return c
}

func taskCall(name, input string) *protocol.Call {
	return newCall(protocol.KindTask, "app.tasks."+name, input)
}

func eventCall(name, payload string, returnPayload bool) *protocol.Call {
	c := newCall(protocol.KindEvent, "app.events."+name, payload)
	c.ReturnPayload = returnPayload
	return c
}

// overwrite overwrites everything in a call, as the HTTP side does when it uses the memory again.
func overwrite(c *protocol.Call) {
	for i := range c.Payload {
		c.Payload[i] = '!'
	}
	for name := range c.Header {
		c.Header[name][0] = "overwritten"
	}
	c.Header.Set("X-More", "overwritten")
	*c = protocol.Call{ID: "overwritten"}
}

// expectEcho sends a text to echo and looks for it in the answer.
func expectEcho(t *testing.T, exec Executor, text string) {
	reply, err := exec.Execute(context.Background(), taskCall("echo", `"`+text+`"`))
	if noError(t, err, "echo") && expect(t, reply != nil, "neither a reply nor an error") {
		equal(t, `"`+text+`"`, string(reply.Value), "reply")
	}
}

func concurrentCalls(t *testing.T, exec Executor) {
	const goroutines, calls = 32, 20
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			for c := range calls {
				n := g*calls + c
				switch n % 3 {
				case 0:
					expectEcho(t, exec, fmt.Sprintf("caller %d call %d", g, c))
				case 1:
					reply, err := exec.Execute(context.Background(), taskCall("add", fmt.Sprintf(`{"a":%d,"b":1000}`, n)))
					if noError(t, err, "add") {
						equal(t, strconv.Itoa(n+1000), string(reply.Value), "reply")
					}
				case 2:
					reply, err := exec.Execute(context.Background(), eventCall("rename", fmt.Sprintf(`{"name":"n%d"}`, n), true))
					if noError(t, err, "rename") {
						equal(t, fmt.Sprintf(`{"name":"N%d"}`, n), string(reply.Value), "reply")
					}
				}
			}
		})
	}
	all.Wait()
}

// anHour is an input of sleep. No case waits for it.
const anHour = `{"ms":3600000}`

// returns waits until an Execute has returned. The time does not measure "soon": it only prevents
// that a broken executor blocks the test.
func returns(t *testing.T, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatal("Execute has not returned")
		return nil
	}
}

func start(ctx context.Context, exec Executor, call *protocol.Call) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := exec.Execute(ctx, call)
		done <- err
	}()
	return done
}

func cancelledBefore(t *testing.T, exec Executor) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	expect(t, returns(t, start(ctx, exec, taskCall("sleep", anHour))) != nil, "no error although ctx is done")
	expectEcho(t, exec, "after it")
}

// watched is a context that reports when somebody begins to wait for its end.
type watched struct {
	context.Context
	once    sync.Once
	waiting chan struct{}
}

func (w *watched) Done() <-chan struct{} {
	w.once.Do(func() { close(w.waiting) })
	return w.Context.Done()
}

func cancelledUnderWay(t *testing.T, exec Executor) {
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	ctx := &watched{Context: parent, waiting: make(chan struct{})}
	done := start(ctx, exec, taskCall("sleep", anHour))
	select {
	case <-ctx.waiting:
	case err := <-done:
		t.Fatalf("Execute has returned before its time: %v", err)
	case <-time.After(patience):
		t.Fatal("Execute does not wait for ctx")
	}
	cancel()
	expect(t, returns(t, done) != nil, "no error although ctx is done")
	expectEcho(t, exec, "after it")
}

func deadlineUnderWay(t *testing.T, exec Executor) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	expect(t, returns(t, start(ctx, exec, taskCall("sleep", anHour))) != nil, "no error although ctx is done")
	expectEcho(t, exec, "after it")
}

func noReferenceFinished(t *testing.T, exec Executor) {
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for c := range 20 {
				text := fmt.Sprintf(`"caller %d call %d"`, g, c)
				call := taskCall("echo", text)
				reply, err := exec.Execute(context.Background(), call)
				if !noError(t, err, "echo") {
					return
				}
				value := string(reply.Value) // it may alias the payload
				overwrite(call)
				equal(t, text, value, "reply")
			}
		})
	}
	all.Wait()
}

func noReferenceCancelled(t *testing.T, exec Executor) {
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for c := range 20 {
				ctx, cancel := context.WithCancel(context.Background())
				call := taskCall("echo", `"`+strings.Repeat("cancelled", 500)+`"`)
				go cancel() // before, while or after it runs
				_, _ = exec.Execute(ctx, call)
				overwrite(call)
				expectEcho(t, exec, fmt.Sprintf("caller %d call %d", g, c))
			}
		})
	}
	all.Wait()
}

func repliesStay(t *testing.T, exec Executor) {
	var replies []*protocol.Reply
	for i := range 20 {
		reply, err := exec.Execute(context.Background(), taskCall("greet", fmt.Sprintf(`{"name":"number %d"}`, i)))
		if !noError(t, err, "greet") {
			return
		}
		replies = append(replies, reply)
	}
	for i, reply := range replies {
		equal(t, fmt.Sprintf(`"Hello, number %d!"`, i), string(reply.Value), "reply")
	}
}

// everyCall returns calls of all kinds, by name.
func everyCall() map[string]*protocol.Call {
	calls := map[string]*protocol.Call{
		"odd id":            newCall(protocol.KindTask, "app/tasks/odd id%", ""),
		"unknown event":     newCall(protocol.KindEvent, "app.events.unknown", `1`),
		"event as task":     newCall(protocol.KindTask, "app.events.notify", `1`),
		"add":               taskCall("add", `{"a":5,"b":3}`),
		"echo nothing":      taskCall("echo", ""),
		"echo deep":         taskCall("echo", deepArrays(1000)),
		"echo pretty":       taskCall("echo", "{\n\t\"a\": [\r\n1 ,\r2 ]\n}"),
		"echo odd strings":  taskCall("echo", "[\"\u2028\\u2028\\u0000\\ud800é\"]"),
		"echo of a message": taskCall("echo", "{\"id\":1,\n\"ok\":true,\"result\":1}"),
		"returned payload":  eventCall("notify", `{"a":1}`, true),
		"returned nothing":  eventCall("notify", "", true),
		"renamed":           eventCall("rename", `{"name":"ada"}`, true),
	}
	for _, name := range []string{"greet", "nothing", "fail", "quota", "teapot", "coded", "cancelled", "function", "hidden", "unknown"} {
		calls["task "+name] = taskCall(name, `{"name":"x","httpCode":404}`)
	}
	for _, name := range []string{"notify", "log", "bare", "fail", "quota", "rename", "parallel"} {
		calls["event "+name] = eventCall(name, `{"name":"x"}`, false)
	}
	return calls
}

func replyOrError(t *testing.T, exec Executor) {
	for name, call := range everyCall() {
		reply, err := exec.Execute(context.Background(), call)
		expect(t, (reply == nil) != (err == nil), "%s: reply %v, error %v", name, reply, err)
		if reply != nil && reply.Stream != nil {
			expect(t, reply.Value == nil, "%s: a value beside a stream", name)
			noError(t, reply.Stream.Close(), name+": to close the stream")
		}
	}
}

func unknownID(t *testing.T, exec Executor) {
	for name, call := range map[string]*protocol.Call{
		"task":          taskCall("unknown", `1`),
		"event":         eventCall("unknown", `1`, false),
		"event as task": newCall(protocol.KindTask, "app.events.notify", `1`),
		"task as event": newCall(protocol.KindEvent, "app.tasks.add", `1`),
		"odd id":        newCall(protocol.KindTask, "\"\n\u2028\x00 {}", `1`),
		"object's own":  newCall(protocol.KindTask, "constructor", `1`),
		"prototype":     newCall(protocol.KindEvent, "__proto__", `1`),
	} {
		_, err := exec.Execute(context.Background(), call)
		var public *protocol.Error
		if expect(t, errors.As(err, &public), "%s: %v is no *protocol.Error", name, err) {
			equal(t, protocol.CodeNotFound, public.Code, name)
			equal(t, http.StatusNotFound, public.Status(), name)
		}
	}
}

func privateErrors(t *testing.T, exec Executor) {
	for name, call := range map[string]*protocol.Call{
		"task":   taskCall("fail", `{}`),
		"event":  eventCall("fail", `{}`, false),
		"result": taskCall("function", `{}`),
	} {
		_, err := exec.Execute(context.Background(), call)
		if !expect(t, err != nil, "%s: no error", name) {
			continue
		}
		var public *protocol.Error
		expect(t, !errors.As(err, &public), "%s: %v is public", name, err)
		if name != "result" {
			expect(t, strings.Contains(err.Error(), "secret"), "%s: the log gets %q", name, err)
		}
	}
}

func publicErrors(t *testing.T, exec Executor) {
	_, err := exec.Execute(context.Background(), taskCall("teapot", `{}`))
	var public *protocol.Error
	if !expect(t, errors.As(err, &public), "%v is no *protocol.Error", err) {
		return
	}
	equal(t, "I am a blue pot", public.Message, "message")
	equal(t, "app.errors.teapot", public.ID, "id")
	equal(t, http.StatusTeapot, public.HTTPCode, "httpCode")
	data, err := json.Marshal(public.Data)
	noError(t, err, "data")
	var compact bytes.Buffer
	noError(t, json.Compact(&compact, data), "data")
	equal(t, `{"pot":"blue"}`, compact.String(), "data")
}

func validValues(t *testing.T, exec Executor) {
	for name, call := range everyCall() {
		reply, err := exec.Execute(context.Background(), call)
		if err != nil || reply.Value == nil {
			continue
		}
		expect(t, json.Valid(reply.Value), "%s: %q", name, reply.Value)
		expect(t, utf8.Valid(reply.Value), "%s: %q", name, reply.Value)
	}
	reply, err := exec.Execute(context.Background(), taskCall("nothing", `1`))
	if noError(t, err, "nothing") {
		expect(t, reply.Value == nil, "no result is no value, but this is %q", reply.Value)
	}
}
