package client_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/client"
)

// FuzzAnswer reads whatever a server may answer: a result, or one of the documented
// errors, never a panic.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		okAnswer, `{"ok":true}`, `{"ok":false,"error":{"message":"m","code":"X","id":"i","data":{"a":[1]},"httpCode":418}}`,
		`{"ok":false,"error":"text"}`, `{"ok":false,"error":{"code":5,"codeName":"X"}}`, `{"ok":true,"result":` + protocol.Undefined + `}`, "<html>", "",
		`{"ok":true,"result":{"A":1,"B":["x"],"C":{"k":null}}}`, `{"ok":true,"result":{"allowList":{"enabled":true,"tasks":["a"]}}}`, "\xff",
	} {
		f.Add(200, "application/json", body)
		f.Add(500, "text/html", body)
	}
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		c, err := client.New("http://h", client.Config{Token: "secret", HTTPClient: &http.Client{Transport: fixed{status, contentType, body}}})
		if err != nil {
			t.Fatal(err)
		}
		type out struct {
			A int
			B []string
			C map[string]*out
		}
		_, typed := client.Task[out](t.Context(), c, "x", nil)
		raw, anyErr := client.Task[json.RawMessage](t.Context(), c, "x", nil)
		if anyErr == nil && raw != nil && !json.Valid(raw) {
			t.Errorf("the result %q is not JSON", raw)
		}
		_, eventErr := client.EventWithResult[any](t.Context(), c, "x", nil)
		_, discoveryErr := c.Discover(t.Context())
		stream, streamErr := client.TaskStream(t.Context(), c, "x", nil)
		if streamErr == nil {
			_ = stream.Close()
		}
		for _, err := range []error{typed, anyErr, eventErr, discoveryErr, streamErr} {
			var failed *client.Error
			var remote *protocol.Error
			var answer *client.AnswerError
			if err != nil && !(errors.As(err, &failed) && (errors.As(err, &remote) || errors.As(err, &answer))) {
				t.Errorf("%T: %v", err, err)
			}
		}
	})
}

// fixed is a transport with one answer.
type fixed struct {
	status            int
	contentType, body string
}

func (f fixed) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = r.Body
	header := http.Header{"Content-Type": {f.contentType}}
	return &http.Response{StatusCode: f.status, Header: header, Body: io.NopCloser(strings.NewReader(f.body)), Request: r}, nil
}
