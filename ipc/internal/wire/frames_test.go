package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc/internal/text"
	"github.com/bluelibs/go-tunnel/protocol"
)

// golden is a message as the tests of the JavaScript side have it too.
type golden struct {
	Name, To, Wire string
	Payload        *string
	Message        json.RawMessage
}

func TestGoldenMessages(t *testing.T) {
	content, err := os.ReadFile("../../node/test/golden.json")
	require.NoError(t, err)
	var messages []golden
	require.NoError(t, json.Unmarshal(content, &messages))
	seen := map[string]int{}
	for _, m := range messages {
		t.Run(m.Name, func(t *testing.T) {
			seen[m.To]++
			if m.To == "worker" {
				assert.Equal(t, m.Wire, string(appendGolden(t, m)))
				return
			}
			lines := text.NewLineReader(strings.NewReader(m.Wire), 1<<20)
			line, _, err := lines.Next()
			require.NoError(t, err)
			if a, ok := ParseAnswer(line); ok {
				if a.N > 0 {
					a, err = ReadPayload(lines, a, 1<<20)
					require.NoError(t, err)
				}
				requireGoldenAnswer(t, m, a)
				return
			}
			requireGoldenMessage(t, m, line)
		})
	}
	assert.Positive(t, seen["worker"])
	assert.Positive(t, seen["server"])
}

func requireGoldenMessage(t *testing.T, m golden, line []byte) {
	got, err := ParseMessage(line)
	require.NoError(t, err)
	var want Message
	require.NoError(t, json.Unmarshal(m.Message, &want))
	assert.Equal(t, want, got)
	if got.Type == "hello" {
		got, err := ParseHello(line)
		require.NoError(t, err)
		var want Hello
		require.NoError(t, json.Unmarshal(m.Message, &want))
		assert.Equal(t, &want, got)
	}
}

// appendGolden writes the message as the pool does.
func appendGolden(t *testing.T, m golden) []byte {
	var want struct {
		Type, TaskID, EventID, RequestID, Method, URL, BasePath, Remote string
		ID                                                              uint64
		Headers                                                         *string
		ReturnPayload                                                   bool
		Identity                                                        json.RawMessage
		Body                                                            bool
		Files                                                           []string
		S, N, Size                                                      int
		Name, ContentType, Error, Hash                                  string
	}
	require.NoError(t, json.Unmarshal(m.Message, &want))
	header, host := http.Header(nil), ""
	if want.Headers != nil {
		header = http.Header{}
		fields := strings.Split(*want.Headers, "\n")
		for i := 0; i+1 < len(fields); i += 2 {
			value := make([]byte, 0, len(fields[i+1]))
			for _, r := range fields[i+1] {
				value = append(value, byte(r)) // a header is latin-1
			}
			switch fields[i] {
			case "host":
				host = string(value)
			case "x-runner-request-id":
			default:
				header[http.CanonicalHeaderKey(fields[i])] = []string{string(value)}
			}
		}
	}
	call := &protocol.Call{
		ID: want.TaskID, RequestID: want.RequestID, Method: want.Method, Target: want.URL, BasePath: want.BasePath,
		RemoteAddr: want.Remote, Host: host, Header: header, ReturnPayload: want.ReturnPayload,
	}
	if m.Payload != nil {
		call.Payload = []byte(*m.Payload)
	}
	if want.Body {
		call.Body = http.NoBody
	}
	if want.Files != nil {
		call.Form = formOf(t, want.Files)
	}
	switch want.Type {
	case "event":
		call.Kind, call.ID = protocol.KindEvent, want.EventID
		fallthrough
	case "task":
		return AppendCall(nil, want.ID, call, want.Identity, want.Hash)
	case "auth":
		return AppendAuth(nil, want.ID, &http.Request{Method: want.Method, RequestURI: want.URL, Host: host, Header: header})
	case "cancel":
		return AppendCancel(nil, want.ID)
	case "file":
		return AppendFile(nil, want.ID, want.S, want.Name, want.ContentType)
	case "data":
		return append(AppendData(nil, want.ID, want.S, want.N), *m.Payload...)
	case "end":
		return AppendEnd(nil, want.ID, want.S, want.Error)
	case "window":
		return AppendWindow(nil, want.ID, want.Size)
	}
	return []byte(m.Wire) // not written by this version, or not by a function of its own
}

// formOf returns a form whose input names files.
func formOf(t *testing.T, ids []string) *protocol.Form {
	files := []any{}
	for _, id := range ids {
		files = append(files, map[string]string{"$runnerFile": "File", "id": id})
	}
	manifest, err := json.Marshal(map[string]any{"input": files})
	require.NoError(t, err)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	require.NoError(t, form.WriteField("__manifest", string(manifest)))
	require.NoError(t, form.Close())
	f := protocol.NewForm(io.NopCloser(&body), form.FormDataContentType(), protocol.Limits{})
	_, err = f.Manifest()
	require.NoError(t, err)
	return f
}

func requireGoldenAnswer(t *testing.T, m golden, a Answer) {
	var want struct {
		ID     uint64
		OK     bool
		Result json.RawMessage
		Void   bool
	}
	require.NoError(t, json.Unmarshal(m.Message, &want))
	assert.Equal(t, want.ID, a.ID)
	assert.Equal(t, want.OK, a.Err == nil)
	assert.Equal(t, want.Void, a.Void)
	if m.Payload != nil {
		want.Result = json.RawMessage(*m.Payload)
	}
	assert.Equal(t, string(want.Result), string(a.Value))
}

// Whatever a caller sends, a worker reads it as it was meant.
// A full data message has room in a pipe, whatever its numbers.
func TestFullDataFitsPipe(t *testing.T) {
	line := AppendData(nil, math.MaxUint64, math.MaxInt32, FullData)
	assert.LessOrEqual(t, len(line), MaxDataLine)
	assert.LessOrEqual(t, MaxDataLine+FullData, 64<<10)
}

func FuzzAppendCall(f *testing.F) {
	f.Add("app.tasks.add", "x-a", "value", []byte(`{"a":5}`))
	f.Add("é😀\n\"", "X-B", "\xff\\\"", []byte("{\"é\":\n1}"))
	f.Fuzz(func(t *testing.T, id, name, value string, payload []byte) {
		call := &protocol.Call{ID: id, Payload: payload, Header: http.Header{name: {value}}}
		line, rest, _ := bytes.Cut(AppendCall(nil, 1, call, nil, ""), []byte("\n"))
		if payload != nil && !bytes.Equal(rest, payload) {
			t.Fatalf("the payload %q became %q", payload, rest)
		}
		for _, c := range line {
			if c < ' ' || c > '~' && c != 0x7f {
				t.Fatalf("byte %#x in %q", c, line)
			}
		}
		var got struct {
			Type, TaskID, Headers string
			N                     *int
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if want := strings.ToValidUTF8(id, "\uFFFD"); got.Type != "task" || strings.ToValidUTF8(id, "") == id && got.TaskID != want {
			t.Fatalf("id %q became %q", id, got.TaskID)
		}
		if payload != nil && (got.N == nil || *got.N != len(payload)) {
			t.Fatalf("n is not %d in %q", len(payload), line)
		}
	})
}
