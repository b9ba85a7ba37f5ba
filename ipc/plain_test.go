package ipc

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

func TestAppendMessage(t *testing.T) {
	for name, c := range map[string]struct {
		call protocol.Call
		want string
	}{
		"task": {
			protocol.Call{ID: "app.tasks.add", Payload: []byte(`{"a":5,"b":3}`)},
			`{"type":"task","id":7,"taskId":"app.tasks.add","input":{"a":5,"b":3}}`,
		},
		"event": {
			protocol.Call{Kind: protocol.KindEvent, ID: "app.events.notify", Payload: []byte(`"hi"`), ReturnPayload: true},
			`{"type":"event","id":7,"eventId":"app.events.notify","payload":"hi"}`,
		},
		"no input":         {protocol.Call{ID: "a"}, `{"type":"task","id":7,"taskId":"a"}`},
		"null is an input": {protocol.Call{ID: "a", Payload: []byte(`null`)}, `{"type":"task","id":7,"taskId":"a","input":null}`},
		"line breaks": {
			protocol.Call{ID: "a", Payload: []byte("{\r\n  \"a\":\t[1,\n2]\r}")},
			"{\"type\":\"task\",\"id\":7,\"taskId\":\"a\",\"input\":{  \"a\":\t[1,2]}}",
		},
		"separators in strings": {
			protocol.Call{ID: "a", Payload: []byte("\"x\u2028y\u2029z\u2027\u202a\"")},
			`{"type":"task","id":7,"taskId":"a","input":"x\u2028y\u2029z` + "\u2027\u202a" + `"}`,
		},
		"awkward id": {
			protocol.Call{ID: "a\n\"\\\u2028é"},
			`{"type":"task","id":7,"taskId":"a\n\"\\\u2028é"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want+"\n", string(appendMessage(nil, 7, &c.call, nil)))
		})
	}
}

func TestAppendMessageWithContext(t *testing.T) {
	call := protocol.Call{ID: "a", RequestID: "r\n1", Payload: []byte("[\n]")}
	assert.Equal(t, `{"type":"task","id":7,"taskId":"a","requestId":"r\n1","input":[]}`+"\n", string(appendMessage(nil, 7, &call, &plainContext{})))
	assert.Equal(t, `{"type":"task","id":7,"taskId":"a","requestId":"r\n1","identity":{"user":"a\u2028"},"input":[]}`+"\n",
		string(appendMessage(nil, 7, &call, &plainContext{identity: []byte("{\"user\":\"a\u2028\"}")})))
}

// A worker on the plain wire learns whose call it is if an option says so, and otherwise
// not.
func TestPlainContext(t *testing.T) {
	const program = `require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, requestId, identity } = JSON.parse(line);
  console.log(JSON.stringify({ id, ok: true, result: [requestId, identity] }));
});`
	call := task("a", "")
	call.RequestID, call.Identity = "r1", map[string]any{"user": "ada"}
	for with, want := range map[bool]string{true: `["r1",{"user":"ada"}]`, false: `[null,null]`} {
		pool := start(t, Options{Command: []string{"node", "--eval", program}, Plain: true, PlainContext: with})
		requireValue(t, want, pool, call)
	}
	pool := start(t, Options{Command: []string{"node", "--eval", program}, Plain: true, PlainContext: true})
	requireValue(t, `["",null]`, pool, task("a", ""))
	call.Identity = func() {} // which has no JSON
	_, err := pool.Execute(t.Context(), call)
	assert.ErrorContains(t, err, "identity")
}

func TestParseAnswer(t *testing.T) {
	private := "private: "
	for name, c := range map[string]struct {
		line  string
		value string
		err   string
	}{
		"result":            {line: `{"id":1,"ok":true,"result":{"a":[1]}}`, value: `{"a":[1]}`},
		"null":              {line: `{"id":1,"ok":true,"result":null}`, value: `null`},
		"no result":         {line: `{"id":1,"ok":true}`},
		"any order, spaces": {line: ` { "result" : 5 , "ok" : true , "id" : 1 } ` + "\r", value: `5`},
		"invalid UTF-8":     {line: "{\"id\":1,\"ok\":true,\"result\":\"\xff\"}", value: "\"\uFFFD\""},
		"plain error":       {line: `{"id":1,"ok":false,"error":{"message":"db down","code":"EXECUTION_ERROR"}}`, err: private + "ipc: the worker reports: db down"},
		"internal error":    {line: `{"id":1,"ok":false,"error":{"message":"m","code":"INTERNAL_ERROR"}}`, err: private + "ipc: the worker reports: m"},
		"unknown code":      {line: `{"id":1,"ok":false,"error":{"message":"m","code":"E_MINE"}}`, err: private + "ipc: the worker reports: m"},
		"no error object":   {line: `{"id":1,"ok":false}`, err: private + "ipc: the worker reports: "},
		"error is a text":   {line: `{"id":1,"ok":false,"error":"m"}`, err: private + "ipc: the worker reports: "},
		"typed error":       {line: `{"id":1,"ok":false,"error":{"message":"m","id":"app.e","data":{"x":1},"httpCode":404}}`, err: `{"message":"m","code":"INTERNAL_ERROR","id":"app.e","data":{"x":1},"httpCode":404}`},
		"protocol code":     {line: `{"id":1,"ok":false,"error":{"message":"m","code":"NOT_FOUND"}}`, err: `{"message":"m","code":"NOT_FOUND"}`},
		"numeric code":      {line: `{"id":1,"ok":false,"error":{"message":"m","code":404,"codeName":"NOT_FOUND"}}`, err: `{"message":"m","code":"NOT_FOUND"}`},
		"bad httpCode":      {line: `{"id":1,"ok":false,"error":{"message":"m","id":"e","httpCode":1000}}`, err: `{"message":"m","code":"INTERNAL_ERROR","id":"e"}`},
		"broken result":     {line: `{"id":1,"ok":true,"result":NaN}`, err: private + "ipc: the worker's answer cannot be read: rawjson: invalid JSON at byte 27"},
		"cut off":           {line: `{"id":1,"ok":true,"result":"half`, err: private + "ipc: the worker's answer cannot be read: rawjson: invalid JSON at byte 32"},
		"too deep":          {line: `{"id":1,"ok":true,"result":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`, err: private + "ipc: the worker's answer cannot be read: rawjson: document nested too deep"},
	} {
		t.Run(name, func(t *testing.T) {
			a, ok := parseAnswer([]byte(c.line))
			if !ok {
				a, ok = brokenAnswer([]byte(c.line), 0)
			}
			require.True(t, ok)
			assert.EqualValues(t, 1, a.id)
			assert.Equal(t, c.value, string(a.value))
			switch public, isPublic := a.err.(*protocol.Error); {
			case a.err == nil:
				assert.Empty(t, c.err)
			case isPublic:
				assert.Equal(t, c.err, errorJSON(t, public))
			default:
				assert.Equal(t, c.err, private+a.err.Error())
			}
		})
	}
}

func errorJSON(t *testing.T, e *protocol.Error) string {
	t.Helper()
	w := httptestRecorder()
	require.NoError(t, serve.WriteError(w, e, false))
	body := w.Body.String()
	return strings.TrimSuffix(strings.TrimPrefix(body, `{"ok":false,"error":`), "}")
}

func TestForeignLinesAreNoAnswers(t *testing.T) {
	for _, line := range []string{
		"", "   ", "hello", "42", "null", `"{"`, `[{"id":1,"ok":true}]`, `{}`, `{"id":1}`, `{"ok":true}`, `{"id":"1","ok":true}`,
		`{"id":1.5,"ok":true}`, `{"id":-1,"ok":true}`, `{"id":9007199254740993,"ok":true}`, `{"id":1,"ok":1}`, `{"id":1,"ok":"true"}`,
		`{"id":1,"level":"info","msg":"a structured log line"}`, `{"id":1,"level":"info`, "\x00\x00", "\xff\xfe", `text {"id":1,"ok":true}`,
		`{"id":1,"ok":truely`, `{"id":1`, `{"id":1,"ok"`,
	} {
		_, ok := parseAnswer([]byte(line))
		assert.False(t, ok, "%q", line)
		_, ok = brokenAnswer([]byte(line), 0)
		assert.False(t, ok, "%q", line)
	}
}

func TestCutAnswerFailsItsCall(t *testing.T) {
	a, ok := brokenAnswer([]byte(`{"id":3,"ok":true,"result":"xxx`), 1000)
	require.True(t, ok)
	assert.EqualValues(t, 3, a.id)
	assert.ErrorContains(t, a.err, "has 1031 bytes, and Options.MaxMessage is 31")
	_, ok = brokenAnswer([]byte(`xxxxxxx`), 1000)
	assert.False(t, ok)
}

// A body can neither break the framing nor forge a message.
func FuzzAppendMessage(f *testing.F) {
	f.Add("app.tasks.add", []byte(`{"a":5}`))
	f.Add("a\nb", []byte("{\"a\":\n[1,\r\n2]}"))
	f.Add("é\u2028\xff", []byte("\"\u2028\u2029\""))
	f.Fuzz(func(t *testing.T, id string, payload []byte) {
		if !json.Valid(payload) {
			return
		}
		message := appendMessage(nil, 1, &protocol.Call{ID: id, Payload: payload}, nil)
		line, ok := bytes.CutSuffix(message, []byte("\n"))
		if !ok || bytes.ContainsAny(line, "\n\r\u2028\u2029") {
			t.Fatalf("not one line: %q", message)
		}
		var got struct {
			Type  string
			ID    int
			Input json.RawMessage
		}
		if err := json.Unmarshal(line, &got); err != nil || got.Type != "task" || got.ID != 1 {
			t.Fatalf("%q: %v", line, err)
		}
		var want, sent any
		if json.Unmarshal(payload, &want) == nil {
			require.NoError(t, json.Unmarshal(got.Input, &sent))
			require.Equal(t, want, sent)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"id":1,"ok":true,"result":8}`))
	f.Add([]byte(`{"id":1,"ok":false,"error":{"message":"m","code":404,"codeName":"NOT_FOUND","id":"e","data":[1],"httpCode":404}}`))
	f.Add([]byte(`{"id":1,"ok":true,"result":"half`))
	f.Fuzz(func(t *testing.T, line []byte) {
		a, ok := parseAnswer(line)
		if !ok {
			if a, ok = brokenAnswer(line, 0); !ok {
				return
			}
		}
		if a.id >= 1<<53 {
			t.Fatalf("id %d is out of range", a.id)
		}
		if a.value != nil && (a.err != nil || !json.Valid(a.value)) {
			t.Fatalf("value %q, error %v", a.value, a.err)
		}
	})
}
