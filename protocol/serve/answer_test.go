package serve

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

func assertEnvelope(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	assert.Equal(t, status, w.Code)
	assert.Equal(t, body, w.Body.String())
	assert.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
	assert.Equal(t, strconv.Itoa(len(body)), w.Header().Get("Content-Length"))
}

func TestWriteResult(t *testing.T) {
	for value, want := range map[string]string{
		`8`: `{"ok":true,"result":8}`, `null`: `{"ok":true,"result":null}`, "{\"a\": \"<\u2028>\"}": "{\"ok\":true,\"result\":{\"a\": \"<\u2028>\"}}",
	} {
		w := httptest.NewRecorder()
		require.NoError(t, WriteResult(w, []byte(value)))
		assertEnvelope(t, w, http.StatusOK, want)
	}
	w := httptest.NewRecorder()
	require.NoError(t, WriteResult(w, nil))
	assertEnvelope(t, w, http.StatusOK, `{"ok":true,"result":{"__type":"Undefined","value":null}}`)
}

func TestWriteOK(t *testing.T) {
	w := httptest.NewRecorder()
	require.NoError(t, WriteOK(w))
	assertEnvelope(t, w, http.StatusOK, `{"ok":true}`)
}

func TestWriteError(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     protocol.Error
		numeric bool
		status  int
		object  string
	}{
		{"zero value", protocol.Error{}, false, 500, `{"message":"Internal Error","code":"INTERNAL_ERROR"}`},
		{"cause", protocol.Error{Code: protocol.CodeNotFound, Err: errors.New("secret")}, false, 404, `{"message":"Not Found","code":"NOT_FOUND"}`},
		{"everything", protocol.Error{Message: "m", ID: "i", Data: map[string]any{"b": 1, "a": "<&>"}, HTTPCode: 418}, false, 418,
			`{"message":"m","code":"INTERNAL_ERROR","id":"i","data":{"a":"<&>","b":1},"httpCode":418}`},
		{"numeric", protocol.Error{Code: protocol.CodeForbidden}, true, 403, `{"message":"Forbidden","code":403,"codeName":"FORBIDDEN"}`},
		{"numeric with a status", protocol.Error{HTTPCode: 404}, true, 404, `{"message":"Internal Error","code":404,"codeName":"INTERNAL_ERROR","httpCode":404}`},
		{"data that is falsy", protocol.Error{ID: "i", Data: 0}, false, 500, `{"message":"Internal Error","code":"INTERNAL_ERROR","id":"i","data":0}`},
		{"data null", protocol.Error{ID: "i", Data: json.RawMessage(`null`)}, false, 500, `{"message":"Internal Error","code":"INTERNAL_ERROR","id":"i","data":null}`},
		{"raw data", protocol.Error{Data: json.RawMessage(`{"b":1,"a":9007199254740993}`)}, false, 500,
			`{"message":"Internal Error","code":"INTERNAL_ERROR","data":{"b":1,"a":9007199254740993}}`},
		{"quotes", protocol.Error{Message: "a\"\\\n\x00b"}, false, 500, `{"message":"a\"\\\n\u0000b","code":"INTERNAL_ERROR"}`},
		{"markup", protocol.Error{Message: "<a>&'"}, false, 500, `{"message":"<a>&'","code":"INTERNAL_ERROR"}`},
		{"status without a body", protocol.Error{HTTPCode: 204}, false, 500, `{"message":"Internal Error","code":"INTERNAL_ERROR","httpCode":204}`},
		{"status 100", protocol.Error{HTTPCode: 100}, false, 500, `{"message":"Internal Error","code":"INTERNAL_ERROR","httpCode":100}`},
		{"status that is none", protocol.Error{HTTPCode: 600}, false, 500, `{"message":"Internal Error","code":"INTERNAL_ERROR"}`},
		{"status that is none either", protocol.Error{HTTPCode: 99}, false, 500, `{"message":"Internal Error","code":"INTERNAL_ERROR"}`},
		{"success", protocol.Error{HTTPCode: 200}, false, 200, `{"message":"Internal Error","code":"INTERNAL_ERROR","httpCode":200}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			require.NoError(t, WriteError(w, &c.err, c.numeric))
			assertEnvelope(t, w, c.status, `{"ok":false,"error":`+c.object+`}`)
			assert.Empty(t, w.Header().Values("Retry-After"))
		})
	}
}

func TestWriteErrorWithDataThatCannotBeEncoded(t *testing.T) {
	cycle := map[string]any{}
	cycle["self"] = cycle
	for name, data := range map[string]any{
		"function": func() {}, "channel": make(chan int), "NaN": math.NaN(), "cycle": cycle,
		"raw cut short": json.RawMessage(`{"a":`), "raw that adds members": json.RawMessage(`1,"ok":true`), "raw of nothing": json.RawMessage{},
	} {
		w := httptest.NewRecorder()
		_ = WriteError(w, &protocol.Error{Code: protocol.CodeForbidden, Message: "m", ID: "i", HTTPCode: 418, Data: data}, false)
		assert.Equal(t, http.StatusInternalServerError, w.Code, name)
		assert.Equal(t, `{"ok":false,"error":{"message":"Internal Error","code":"INTERNAL_ERROR"}}`, w.Body.String(), name)
	}
}

func TestWriteErrorIsValidUTF8(t *testing.T) {
	w := httptest.NewRecorder()
	require.NoError(t, WriteError(w, &protocol.Error{Message: "a\xffb", ID: "\xe2\x82", Data: map[string]string{"\xff": "\xff"}}, false))
	var envelope struct{ Error struct{ Message, ID string } }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &envelope))
	assert.Equal(t, "a\ufffdb", envelope.Error.Message)
	assert.NotContains(t, w.Body.String(), "\xff")
}

func TestWriteErrorRetryAfter(t *testing.T) {
	for want, e := range map[string]*protocol.Error{
		"1": {Code: protocol.CodeOverloaded}, "3": {Code: protocol.CodeWorkerUnavailable, RetryAfter: 2001 * time.Millisecond}, "": {Code: protocol.CodeTaskTimeout},
	} {
		w := httptest.NewRecorder()
		require.NoError(t, WriteError(w, e, false))
		assert.Equal(t, want, w.Header().Get("Retry-After"), e.Code)
	}
}

func TestSharedHeaderValuesCannotBeGrown(t *testing.T) {
	first, second := http.Header{}, http.Header{}
	setSecurity(first)
	first.Add("X-Frame-Options", "spoilt")
	setSecurity(second)
	second.Add("X-Frame-Options", "other")
	assert.Equal(t, []string{"DENY", "spoilt"}, first["X-Frame-Options"])
	assert.Equal(t, []string{"DENY", "other"}, second["X-Frame-Options"])
	assert.Equal(t, []string{"nosniff"}, first["X-Content-Type-Options"])
}
