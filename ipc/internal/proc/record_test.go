package proc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asJSON returns what slog's JSON handler makes of a line of output, without the time.
func asJSON(t *testing.T, stream, line string) string {
	t.Helper()
	var b bytes.Buffer
	o := NewOutput(slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug - 4, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})), 42, nil)
	o.Add(stream, []byte(line), 0)
	o.Close()
	o.Run()
	require.True(t, json.Valid(b.Bytes()), b.String())
	return strings.TrimSuffix(b.String(), "\n")
}

func TestRecords(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"pino", `{"level":30,"time":1795838972970,"pid":42,"hostname":"vm","a":1,"err":{"type":"Error","message":"x","stack":"Error: x\n    at f"},"msg":"hi"}`,
			`{"level":"INFO","msg":"hi","stream":"stdout","app.time":1795838972970,"hostname":"vm","a":1,"err":{"type":"Error","message":"x","stack":"Error: x\n    at f"}}`},
		{"pino fatal", `{"level":60,"pid":7,"msg":"f"}`, `{"level":"ERROR+4","msg":"f","stream":"stdout","app.pid":7}`},
		{"pino trace", `{"level":10,"msg":"t"}`, `{"level":"DEBUG-4","msg":"t","stream":"stdout"}`},
		{"pino own level", `{"level":35,"msg":"n"}`, `{"level":"INFO+2","msg":"n","stream":"stdout"}`},
		{"winston", `{"b":2,"level":"info","message":"w","timestamp":"2026-11-28T04:09:33.039Z"}`,
			`{"level":"INFO","msg":"w","stream":"stdout","b":2,"timestamp":"2026-11-28T04:09:33.039Z"}`},
		{"winston with colours", `{"level":"warn","message":"\u001b[31mred\u001b[39m"}`, `{"level":"WARN","msg":"red","stream":"stdout"}`},
		{"bunyan", `{"name":"b","hostname":"vm","pid":42,"level":40,"x":{"y":[1,{"z":2}]},"msg":"bw","time":"2026","v":0}`,
			`{"level":"WARN","msg":"bw","stream":"stdout","name":"b","hostname":"vm","x":{"y":"[1,{\"z\":2}]"},"app.time":"2026","v":0}`},
		{"Runner", `{"level":"critical","message":"bad","source":"t","timestamp":"2026","error":{"name":"Error","message":"boom"},"data":{"a":1},"context":{}}`,
			`{"level":"ERROR+4","msg":"bad","stream":"stdout","app.source":"t","timestamp":"2026","error":{"name":"Error","message":"boom"},"data":{"a":1}}`},
		{"all kinds", ` {"level":"debug","s":"é","t":true,"f":false,"n":null,"i":-3,"d":1.5,"e":1e400,"msg":"m"} `,
			`{"level":"DEBUG","msg":"m","stream":"stdout","s":"é","t":true,"f":false,"n":null,"i":-3,"d":1.5,"e":"1e400"}`},
		{"reserved names", `{"level":"error","msg":"m","message":"n","worker":1,"stream":"s","line":"l","cutBytes":2,"lines":3,"source":"x"}`,
			`{"level":"ERROR","msg":"m","stream":"stdout","app.message":"n","app.worker":1,"app.stream":"s","app.line":"l","app.cutBytes":2,"app.lines":3,"app.source":"x"}`},
		{"deep", `{"level":"info","a":{"b":{"c":{"d":{"e":1}}}},"msg":"m"}`, `{"level":"INFO","msg":"m","stream":"stdout","a":{"b":{"c":{"d":"{\"e\":1}"}}}}`},
		{"no message", `{"level":"info","a":1}`, `{"level":"INFO","msg":"ipc: worker output","stream":"stdout","a":1}`},
		{"a message of several lines", `{"level":"info","msg":"one\ntwo\r\u2028\u0000three"}`, `{"level":"INFO","msg":"one two   three","stream":"stdout"}`},
		{"a message that is none", `{"level":"info","msg":{"a":1}}`, `{"level":"INFO","msg":"ipc: worker output","stream":"stdout","app.msg":{"a":1}}`},
		{"no level", `{"msg":"m"}`, `{"level":"INFO","msg":"ipc: worker output","stream":"stdout","line":"{\"msg\":\"m\"}"}`},
		{"a level that is none", `{"level":"high"}`, `{"level":"INFO","msg":"ipc: worker output","stream":"stdout","line":"{\"level\":\"high\"}"}`},
		{"a level of a game", `{"level":1000}`, `{"level":"INFO","msg":"ipc: worker output","stream":"stdout","line":"{\"level\":1000}"}`},
		{"an array", `[{"level":30}]`, `{"level":"INFO","msg":"ipc: worker output","stream":"stdout","line":"[{\"level\":30}]"}`},
		{"no JSON", `{"level":30,`, `{"level":"INFO","msg":"ipc: worker output","stream":"stdout","line":"{\"level\":30,"}`},
		{"two values", `{"level":30} {}`, `{"level":"INFO","msg":"ipc: worker output","stream":"stdout","line":"{\"level\":30} {}"}`},
		{"colours", "\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x1b\\ \x1b(B", `{"level":"INFO","msg":"ipc: worker output","stream":"stdout","line":"red link "}`},
		{"empty", ``, `{"level":"INFO","msg":"ipc: worker output","stream":"stdout","line":""}`},
	} {
		assert.Equal(t, c.want, asJSON(t, "stdout", c.line), c.name)
	}
	assert.Equal(t, `{"level":"WARN","msg":"ipc: worker output","stream":"stderr","line":"text"}`, asJSON(t, "stderr", "text"))
	assert.Equal(t, `{"level":"DEBUG","msg":"m","stream":"stderr"}`, asJSON(t, "stderr", `{"level":"debug","msg":"m"}`))
}

// However many members a line has, or how long their names are, a record stays small.
func TestRecordsAreBounded(t *testing.T) {
	var many strings.Builder
	for i := range 100 {
		fmt.Fprintf(&many, `,"k%d":{"a":1}`, i)
	}
	got := asJSON(t, "stdout", `{"level":"info","msg":"m"`+many.String()+`}`)
	assert.Contains(t, got, `"k31":{"a":1},"attributesDropped":68}`)
	long := asJSON(t, "stdout", `{"level":"info","msg":"m","`+strings.Repeat("é", 500)+`":1}`)
	assert.Less(t, len(long), 150)
	nested := `{"level":"info","a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`
	assert.Contains(t, asJSON(t, "stdout", nested), `"line":`)
	cut := asJSON(t, "stdout", `{"level":"info","msg":"`+strings.Repeat("x", 2*MaxLine)+`"}`)
	assert.Contains(t, cut, `"cutBytes":`)
	assert.Less(t, len(cut), MaxLine+1000)
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"level":30,"pid":1,"msg":"m","a":{"b":[1]},"e":1e999,"\u0000":null}`))
	f.Add([]byte(`{"level":"info","message":"\ud800\u001b[1m"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, ok := parseRecord(line, 1)
		if !ok {
			return
		}
		var b bytes.Buffer
		slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{Level: slog.Level(-1000)})).Log(t.Context(), r.level, r.message, r.attrs...)
		if !json.Valid(b.Bytes()) || strings.ContainsAny(r.message, "\n\r\x1b") || len(r.attrs) > maxAttrs+1 {
			t.Errorf("%q: %s", line, b.String())
		}
	})
}
