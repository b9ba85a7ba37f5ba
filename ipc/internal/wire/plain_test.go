package wire

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

func TestAppendPlainCall(t *testing.T) {
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
			assert.Equal(t, c.want+"\n", string(AppendPlainCall(nil, 7, &c.call, false, nil)))
		})
	}
}

func TestAppendPlainCallWithContext(t *testing.T) {
	call := protocol.Call{ID: "a", RequestID: "r\n1", Payload: []byte("[\n]")}
	assert.Equal(t, `{"type":"task","id":7,"taskId":"a","requestId":"r\n1","input":[]}`+"\n", string(AppendPlainCall(nil, 7, &call, true, nil)))
	assert.Equal(t, `{"type":"task","id":7,"taskId":"a","requestId":"r\n1","identity":{"user":"a\u2028"},"input":[]}`+"\n",
		string(AppendPlainCall(nil, 7, &call, true, []byte("{\"user\":\"a\u2028\"}"))))
}

// A body can neither break the framing nor forge a message.
func FuzzAppendPlainCall(f *testing.F) {
	f.Add("app.tasks.add", []byte(`{"a":5}`))
	f.Add("a\nb", []byte("{\"a\":\n[1,\r\n2]}"))
	f.Add("é\u2028\xff", []byte("\"\u2028\u2029\""))
	f.Fuzz(func(t *testing.T, id string, payload []byte) {
		if !json.Valid(payload) {
			return
		}
		message := AppendPlainCall(nil, 1, &protocol.Call{ID: id, Payload: payload}, false, nil)
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
