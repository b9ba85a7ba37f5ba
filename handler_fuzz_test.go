package tunnel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// The shapes that a decoder can go wrong at.
type (
	inner struct {
		Name string  `json:"name"`
		Next *inner  `json:"next,omitempty"`
		F    float64 `json:"f"`
	}
	shape struct {
		inner
		Nested   inner            `json:"nested"`
		Map      map[string]inner `json:"map"`
		ByNumber map[int]string   `json:"byNumber"`
		Slice    []inner          `json:"slice"`
		Array    [3]int8          `json:"array"`
		Pointer  *int             `json:"pointer"`
		Any      any              `json:"any"`
		Time     time.Time        `json:"time"`
		Float    float32          `json:"float"`
		Int      int64            `json:"int"`
		Uint     uint16           `json:"uint"`
		Text     string           `json:"text"`
		Bytes    []byte           `json:"bytes"`
		Raw      json.RawMessage  `json:"raw"`
		Bool     bool             `json:"bool"`
		Quoted   int              `json:"quoted,string"`
		Number   json.Number      `json:"number"`
		Custom   custom           `json:"custom"`
	}
	// custom decodes itself, and sees the bytes for that.
	custom struct{ seen string }
)

func (c *custom) UnmarshalJSON(data []byte) error {
	if !json.Valid(data) {
		return errMalformed
	}
	c.seen = string(data)
	return nil
}

func (c custom) MarshalJSON() ([]byte, error) { return json.Marshal(c.seen) }

var errMalformed = errors.New("UnmarshalJSON got what is no JSON")

// back returns its input: the encoder has to write what the decoder has read.
func back[T any](_ context.Context, in T) (T, error) { return in, nil }

func fuzzRegistry() *standalone.Registry {
	r := standalone.NewRegistry()
	standalone.Task(r, "0", back[shape])
	standalone.Task(r, "1", back[string])
	standalone.Task(r, "2", back[map[string]any])
	standalone.Task(r, "3", back[[]int])
	standalone.Task(r, "4", back[custom])
	standalone.Task(r, "5", back[any])
	standalone.Task(r, "6", back[*shape])
	standalone.Task(r, "7", back[[]map[string]*inner])
	standalone.Task(r, "8", back[float64])
	standalone.Task(r, "9", back[time.Time])
	testapp.KitTasks(r)
	return r
}

type fuzzKey struct{}

// guard fails the test that a call belongs to for what must not reach an executor,
// and for what must not come back from it.
func guard(next tunnel.Executor) tunnel.Executor {
	return tunnel.ExecutorFunc(func(ctx context.Context, call *protocol.Call) (reply *protocol.Reply, err error) {
		t := ctx.Value(fuzzKey{}).(*testing.T)
		if call.Payload != nil && (!json.Valid(call.Payload) || !utf8.Valid(call.Payload)) {
			t.Errorf("an executor got %q", call.Payload)
		}
		before := bytes.Clone(call.Payload)
		defer func() {
			if v := recover(); v != nil {
				t.Errorf("task %s panics at %q: %v", call.ID, before, v)
				panic(v)
			}
			if !bytes.Equal(before, call.Payload) {
				t.Errorf("the payload %q became %q", before, call.Payload)
			}
			if errors.Is(err, errMalformed) {
				t.Errorf("the decoder passed on what is no JSON of %q", before)
			}
			if err == nil && !json.Valid(reply.Value) {
				t.Errorf("task %s answers %q to %q", call.ID, reply.Value, before)
			}
		}()
		return next.Execute(ctx, call)
	})
}

func FuzzHandler(f *testing.F) {
	handler := tunnel.New(fuzzRegistry(), tunnel.Config{
		Tokens: []string{"secret"}, Limits: protocol.Limits{MaxBody: 64 << 10, MaxStream: 64 << 10, MaxFileSize: 64 << 10}, Middleware: []tunnel.Middleware{guard}, Logger: testapp.Quiet,
	})
	everything := `{"name":"é","next":{"next":null},"nested":{"f":1e-5},"map":{"a\u0000":{"name":"x"}},"byNumber":{"-1":"a"},"slice":[{},{"f":2}],` +
		`"array":[1,2,3,4],"pointer":5,"any":[{"a":null},1.5,"x",true],"time":"2024-01-02T03:04:05Z","float":1.5,"int":-9223372036854775808,` +
		`"uint":65535,"text":"\ud83d\ude00\ud800","bytes":"AAEC","raw":{"a":[1]},"bool":true,"quoted":"12","number":1e400,"custom":{"x":[1,2]}}`
	for i, seed := range []string{
		everything, `"text\u00e9\n\"` + "\xff" + `"`, `{"a":{"b":[1,{"c":null}]},"":"\u0000"}`, `[1,2,-3,4e2]`, `[[],{}]`, `1e999`, `null`,
		`[{"a":{"name":"x"},"b":null},null]`, `-0.0e-5`, `"2024-01-02T03:04:05.678+01:00"`, `{"input":` + everything + `}`, `{"input":"x"`,
		strings.Repeat("[", 1500), `{"text":"` + strings.Repeat(`\`, 31) + `"}`, "{\"text\":\"\u2028\\u2028\"}", "\ufeff{}", ``, ` `,
		`{"bytes":"!"}`, `{"quoted":"x"}`, `{"byNumber":{"x":"y"}}`, `{"next":` + strings.Repeat(`{"next":`, 300) + `null` + strings.Repeat(`}`, 301),
	} {
		f.Add(uint8(i%10), []byte(seed))
		f.Add(uint8(0), []byte(seed))
	}
	const sentinel = `{"$runnerFile":"File","id":"F","meta":{"name":"x","size":1}}`
	for _, form := range []string{
		`{"input":{"files":{"a":` + sentinel + `},"read":["a"]}}` + "\r\n--b\r\nContent-Disposition: form-data; name=\"file:F\"; filename=\"f\"\r\n\r\ndata\r\n--b--\r\n",
		`{"input":{"files":{"a":` + sentinel + `},"read":["a","b"]}}` + "\r\n--b\r\nContent-Disposition: form-data; name=\"file:F\"; filename=\"f\"\r\n\r\nda",
		`{"input":` + everything + `}` + "\r\n--b--",
	} {
		for task := range uint8(10) {
			f.Add(10+task, []byte("--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n"+form))
		}
	}
	f.Add(uint8(20), []byte("octets"))
	f.Add(uint8(21), []byte{})
	types := []string{"application/json", "multipart/form-data; boundary=b", "application/octet-stream"}
	f.Fuzz(func(t *testing.T, task uint8, body []byte) {
		mode := task / 10 % 3
		path := fmt.Sprintf("/__runner/task/%d", task%10)
		if task%10 == 0 && mode > 0 {
			path = "/__runner/task/" + []string{"", "kit.upload", "kit.body"}[mode]
		}
		r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
		r.Header.Set("X-Runner-Token", "secret")
		r.Header.Set("Content-Type", types[mode])
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), fuzzKey{}, t)))

		answer := w.Body.Bytes()
		if !json.Valid(answer) || !utf8.Valid(answer) {
			t.Fatalf("%d %q", w.Code, answer)
		}
		var envelope struct {
			OK    bool
			Error *struct{ Code, Message string }
		}
		if err := json.Unmarshal(answer, &envelope); err != nil {
			t.Fatalf("%d %s: %v", w.Code, answer, err)
		}
		if envelope.OK != (w.Code == http.StatusOK) || envelope.OK == (envelope.Error != nil) {
			t.Fatalf("%d %s", w.Code, answer)
		}
		if mode == 0 && len(body) > 0 && !json.Valid(body) && utf8.Valid(body) && w.Code != http.StatusBadRequest && w.Code != http.StatusRequestEntityTooLarge {
			t.Fatalf("%q is no JSON, and answered with %d %s", body, w.Code, answer)
		}
	})
}
