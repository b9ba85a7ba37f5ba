package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/client"
)

// calls are all ways to ask.
var calls = map[string]func(context.Context, *client.Client) error{
	"task": func(ctx context.Context, c *client.Client) error {
		_, err := client.Task[int](ctx, c, "x", 1)
		return err
	},
	"upload": func(ctx context.Context, c *client.Client) error {
		_, err := client.Task[int](ctx, c, "x", &client.File{Reader: strings.NewReader("bytes")})
		return err
	},
	"stream in": func(ctx context.Context, c *client.Client) error {
		_, err := client.Task[int](ctx, c, "x", strings.NewReader("bytes"))
		return err
	},
	"event": func(ctx context.Context, c *client.Client) error { return client.Event(ctx, c, "x", 1) },
	"event with result": func(ctx context.Context, c *client.Client) error {
		_, err := client.EventWithResult[int](ctx, c, "x", 1)
		return err
	},
	"discovery": func(ctx context.Context, c *client.Client) error {
		_, err := c.Discover(ctx)
		return err
	},
	"stream out": func(ctx context.Context, c *client.Client) error {
		stream, err := client.TaskStream(ctx, c, "x", 1)
		if err == nil {
			err = errors.Join(errors.New("a stream"), stream.Close())
		}
		return err
	},
}

// What is no answer of the protocol gives an AnswerError to every call.
func TestUselessAnswers(t *testing.T) {
	jsonType := "application/json; charset=utf-8"
	for name, c := range map[string]struct {
		status            int
		contentType, body string
	}{
		"empty":                   {200, jsonType, ""},
		"no content":              {204, jsonType, ""},
		"empty 500":               {500, "", ""},
		"blank":                   {200, jsonType, " \n"},
		"HTML":                    {502, "text/html", "<html><body>Bad gateway</body></html>"},
		"JSON of something else":  {200, jsonType, `{"status":"fine"}`},
		"JSON, no object":         {200, jsonType, `[true]`},
		"JSON, only a number":     {200, jsonType, `1`},
		"truncated":               {200, jsonType, `{"ok":true,"result":[1,2`},
		"truncated behind ok":     {200, jsonType, `{"ok":false`},
		"two documents":           {200, jsonType, okAnswer + okAnswer},
		"byte order mark":         {200, jsonType, "\ufeff" + okAnswer},
		"UTF-16":                  {200, jsonType, "{\x00\"\x00o\x00k\x00"},
		"ok is a number":          {200, jsonType, `{"ok":1,"result":1}`},
		"ok is a string":          {200, jsonType, `{"ok":"true","result":1}`},
		"ok is null":              {200, jsonType, `{"ok":null,"result":1}`},
		"too deep":                {200, jsonType, `{"ok":true,"result":` + strings.Repeat("[", 1001) + strings.Repeat("]", 1001) + `}`},
		"deep without end":        {200, jsonType, strings.Repeat("[", 100_000)},
		"too large":               {200, jsonType, `{"ok":true,"result":"` + strings.Repeat("x", maxResponse) + `"}`},
		"too large, and no JSON":  {500, "text/plain", strings.Repeat("x", 3*maxResponse)},
		"a result of wrong type":  {200, jsonType, `{"ok":true,"result":{"__proto__":[]}}`},
		"ok, then ok once more":   {200, jsonType, `{"ok":true,"result":1,"ok":7}`},
		"binary":                  {418, "application/octet-stream", "\x00\xff\xfe"},
		"gzip that is not":        {200, jsonType, "\x1f\x8b\x08"},
		"a preview to be cut":     {400, "text/plain", strings.Repeat("ü", 400)},
		"an answer with no type":  {400, "", "plain"},
		"problem, not ours":       {404, "application/problem+json", `{"title":"Not found"}`},
		"the token in the answer": {400, "text/plain", strings.Repeat("-", 509) + "secret secret"},
	} {
		t.Run(name, func(t *testing.T) {
			cl := serve(t, answering(c.status, c.contentType, c.body), func(cfg *client.Config) { cfg.MaxResponse = maxResponse })
			for kind, call := range calls {
				if name == "a result of wrong type" && (kind == "event" || kind == "stream out") {
					continue // which do not look at it
				}
				if name == "no content" && kind == "stream out" {
					continue // an empty stream
				}
				err := call(bounded(t), cl)
				var answer *client.AnswerError
				if !assert.ErrorAs(t, err, &answer, kind) {
					continue
				}
				assert.Equal(t, c.status, answer.Status, kind)
				assert.Equal(t, c.contentType, answer.ContentType, kind)
				assert.LessOrEqual(t, len(answer.Preview), 512, kind)
				assert.NotContains(t, answer.Preview, "sec", kind)
				assert.NotEmpty(t, err.Error(), kind)
				var failed *client.Error
				require.ErrorAs(t, err, &failed, kind)
				assert.Equal(t, c.status, failed.Status, kind)
			}
		})
	}
}

const maxResponse = 1 << 10

// The status and the content type tell nothing: the envelope does.
func TestEnvelopeDecides(t *testing.T) {
	for _, status := range []int{200, 201, 400, 404, 500, 599} {
		for _, contentType := range []string{"application/json", "text/plain", ""} {
			got, err := client.Task[int](t.Context(), serve(t, answering(status, contentType, okAnswer)), "a", nil)
			require.NoError(t, err)
			assert.Equal(t, 1, got)

			_, err = client.Task[int](t.Context(), serve(t, answering(status, contentType, `{"ok":false,"result":1,"error":{"message":"no","code":"X"}}`)), "a", nil)
			var remote *protocol.Error
			require.ErrorAs(t, err, &remote)
			assert.Equal(t, protocol.Code("X"), remote.Code)
		}
	}
}

// An answer of exactly the limit is within it.
func TestMaxResponse(t *testing.T) {
	c := serve(t, answering(200, "application/json", okAnswer), func(cfg *client.Config) { cfg.MaxResponse = int64(len(okAnswer)) })
	require.NoError(t, task("a", 1)(t, c))
	c = serve(t, answering(200, "application/json", okAnswer), func(cfg *client.Config) { cfg.MaxResponse = int64(len(okAnswer)) - 1 })
	assert.ErrorContains(t, task("a", 1)(t, c), "over the limit")
}

func TestRemoteErrors(t *testing.T) {
	for body, want := range map[string]protocol.Error{
		`{"message":"Quota of 3","code":"INTERNAL_ERROR","id":"app.errors.quota","data":{"limit": 3},"httpCode":418}`: {
			Code: protocol.CodeInternal, Message: "Quota of 3", ID: "app.errors.quota", Data: json.RawMessage(`{"limit": 3}`), HTTPCode: 418},
		`{"message":"m","code":500,"codeName":"INTERNAL_ERROR","id":"x"}`: {Code: protocol.CodeInternal, Message: "m", ID: "x"},
		`{"message":"m","code":500}`:                                      {Code: client.CodeUnknown, Message: "m"},
		`{"message":"m","code":"EXECUTION_ERROR","codeName":"other"}`:     {Code: "EXECUTION_ERROR", Message: "m"},
		`{"message":"","code":"X","data":null,"httpCode":null}`:           {Code: "X", Message: "The server gave no reason", Data: json.RawMessage("null")},
		`{"message":7,"code":[],"id":{},"httpCode":"418"}`:                {Code: client.CodeUnknown, Message: "The server gave no reason"},
		`{"code":"X","message":"m","httpCode":99}`:                        {Code: "X", Message: "m"},
		`{"code":"X","message":"m","httpCode":1e99}`:                      {Code: "X", Message: "m"},
		`"only a text"`:                   {Code: client.CodeUnknown, Message: "only a text"},
		`null`:                            {Code: client.CodeUnknown, Message: "The server gave no reason"},
		`["x"]`:                           {Code: client.CodeUnknown, Message: "The server gave no reason"},
		`{"message":"\ud800","code":"X"}`: {Code: "X", Message: "\ufffd"},
	} {
		c := serve(t, answering(500, "application/json", `{"ok":false,"error":`+body+`}`))
		for kind, call := range calls {
			err := call(t.Context(), c)
			var got *protocol.Error
			if assert.ErrorAs(t, err, &got, "%s %s", kind, body) {
				assert.Equal(t, want, *got, "%s %s", kind, body)
				assert.Contains(t, err.Error(), "): "+string(want.Code))
				assert.True(t, strings.HasSuffix(err.Error(), ": "+want.Message), err)
			}
		}
	}
	_, err := client.Task[int](t.Context(), serve(t, answering(200, "application/json", `{"ok":false}`)), "a", nil)
	var got *protocol.Error
	require.ErrorAs(t, err, &got)
	assert.Equal(t, client.CodeUnknown, got.Code)
}

func TestErrorDetails(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Runner-Request-Id", "of the server")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"ok":false,"error":{"message":"Busy","code":"OVERLOADED"}}`)
	})
	_, err := client.Task[int](t.Context(), c, "app.tasks.add", nil, client.WithRequestID("mine"))
	var failed *client.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "client: task app.tasks.add (request of the server): OVERLOADED: Busy", err.Error())
	failed.Err = &protocol.Error{Code: protocol.CodeInternal, ID: "app.errors.soldOut", Message: "Sold out"}
	assert.Equal(t, "client: task app.tasks.add (request of the server): INTERNAL_ERROR app.errors.soldOut: Sold out", err.Error())
	assert.Equal(t, 7*time.Second, failed.RetryAfter)
	assert.Equal(t, http.StatusServiceUnavailable, failed.Status)

	c = serve(t, answering(500, "text/html", "<html>"))
	_, err = client.Task[int](t.Context(), c, "a", nil, client.WithRequestID("mine"))
	assert.EqualError(t, err, `client: task a (request mine): an answer that is not JSON (status 500, "text/html"): rawjson: invalid JSON at byte 0`)
}

// invalid UTF-8 is read as JavaScript reads it.
func TestInvalidUTF8(t *testing.T) {
	got, err := client.Task[string](t.Context(), serve(t, answering(200, "", "{\"ok\":true,\"result\":\"a\xffb\"}")), "a", nil)
	require.NoError(t, err)
	assert.Equal(t, "a\ufffdb", got)
}

// An answer that ends before its end is none.
func TestCutAnswers(t *testing.T) {
	for name, head := range map[string]string{
		"by length":     "Content-Length: 100\r\n\r\n" + okAnswer,
		"chunked":       "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", len(okAnswer), okAnswer),
		"in the header": "Content-Le",
	} {
		c := serve(t, hijacked(t, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+head))
		for kind, call := range calls {
			var transport *client.TransportError
			assert.ErrorAs(t, call(bounded(t), c), &transport, "%s, %s", name, kind)
		}
	}
}

// hijacked answers with raw bytes, once the request is there, and hangs up.
func hijacked(t *testing.T, raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		_, _ = io.WriteString(conn, raw)
		_ = conn.Close()
	}
}

func TestNobodyThere(t *testing.T) {
	c := newClient(t, "http://127.0.0.1:1/__runner")
	for kind, call := range calls {
		err := call(bounded(t), c)
		var transport *client.TransportError
		assert.ErrorAs(t, err, &transport, kind)
		var failed *client.Error
		if assert.ErrorAs(t, err, &failed, kind) {
			assert.NotEmpty(t, failed.RequestID)
			assert.Zero(t, failed.Status)
		}
	}
}

// A server that never comes to an end is left when the context ends.
func TestContextEnds(t *testing.T) {
	for name, begin := range map[string]string{"no answer": "", "half an answer": `{"ok":true,"res`} {
		t.Run(name, func(t *testing.T) {
			for kind, call := range calls {
				ctx, cancel := context.WithCancel(bounded(t))
				c := serve(t, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.Header().Set("Content-Type", "application/json")
					if begin != "" {
						_, _ = io.WriteString(w, begin)
						_ = http.NewResponseController(w).Flush()
					}
					cancel()
					<-r.Context().Done()
				})
				err := call(ctx, c)
				assert.ErrorIs(t, err, context.Canceled, kind)
				var transport *client.TransportError
				assert.ErrorAs(t, err, &transport, kind)
			}
		})
	}
}
