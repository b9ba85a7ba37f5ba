package wire

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

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
			a, ok := ParseAnswer([]byte(c.line))
			if !ok {
				a, ok = BrokenAnswer([]byte(c.line), 0)
			}
			require.True(t, ok)
			assert.EqualValues(t, 1, a.ID)
			assert.Equal(t, c.value, string(a.Value))
			switch public, isPublic := a.Err.(*protocol.Error); {
			case a.Err == nil:
				assert.Empty(t, c.err)
			case isPublic:
				assert.Equal(t, c.err, errorJSON(t, public))
			default:
				assert.Equal(t, c.err, private+a.Err.Error())
			}
		})
	}
}

func errorJSON(t *testing.T, e *protocol.Error) string {
	t.Helper()
	w := httptest.NewRecorder()
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
		_, ok := ParseAnswer([]byte(line))
		assert.False(t, ok, "%q", line)
		_, ok = BrokenAnswer([]byte(line), 0)
		assert.False(t, ok, "%q", line)
	}
}

func TestCutAnswerFailsItsCall(t *testing.T) {
	a, ok := BrokenAnswer([]byte(`{"id":3,"ok":true,"result":"xxx`), 1000)
	require.True(t, ok)
	assert.EqualValues(t, 3, a.ID)
	assert.ErrorContains(t, a.Err, "has 1031 bytes, and Options.MaxAnswer is 31")
	_, ok = BrokenAnswer([]byte(`xxxxxxx`), 1000)
	assert.False(t, ok)
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"id":1,"ok":true,"result":8}`))
	f.Add([]byte(`{"id":1,"ok":false,"error":{"message":"m","code":404,"codeName":"NOT_FOUND","id":"e","data":[1],"httpCode":404}}`))
	f.Add([]byte(`{"id":1,"ok":true,"result":"half`))
	f.Fuzz(func(t *testing.T, line []byte) {
		a, ok := ParseAnswer(line)
		if !ok {
			if a, ok = BrokenAnswer(line, 0); !ok {
				return
			}
		}
		if a.ID >= 1<<53 {
			t.Fatalf("id %d is out of range", a.ID)
		}
		if a.Value != nil && (a.Err != nil || !json.Valid(a.Value)) {
			t.Fatalf("value %q, error %v", a.Value, a.Err)
		}
	})
}
