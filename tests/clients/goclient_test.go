package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	tunnel "github.com/bluelibs/go-tunnel"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/client"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/testapp"
)

// goClientBound is for calls that never end.
const goClientBound = 30 * time.Second

// The Go client must not notice which server it talks to.
func TestGoClient(t *testing.T) {
	app := map[string]any{"goclient": true}
	for name, start := range map[string]func(*testing.T) string{
		"standalone": func(t *testing.T) string {
			registry := testapp.GoApp()
			addGoClientTasks(registry)
			tasks := slices.Concat(testapp.AllowList.IDs(protocol.KindTask), goClientTasks)
			return testapp.Serve(t, registry, tunnel.Config{AllowList: protocol.NewAllowList(tasks, testapp.AllowList.IDs(protocol.KindEvent))})
		},
		"ipc": func(t *testing.T) string {
			return testapp.ServeAsIs(t, testapp.RunnerApp(t, app), tunnel.Config{Tokens: []string{"secret"}})
		},
		"exposure": func(t *testing.T) string { return testapp.StartExposure(t, map[string]any{"app": app}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := goClientServer{base: start(t) + "/__runner"}
			for _, c := range goClientCases {
				t.Run(c.name, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), goClientBound)
					defer cancel()
					c.run(ctx, t, server)
				})
			}
		})
	}
}

type goClientServer struct{ base string }

// client returns a client of the server, whose connections end with the test.
func (s goClientServer) client(t *testing.T, change ...func(*client.Config)) *client.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	cfg := client.Config{Token: "secret", HTTPClient: &http.Client{Transport: transport}}
	for _, f := range change {
		f(&cfg)
	}
	c, err := client.New(s.base, cfg)
	require.NoError(t, err)
	return c
}

type goClientCase struct {
	name string
	run  func(ctx context.Context, t *testing.T, s goClientServer)
}

var goClientCases = []goClientCase{
	{"results", func(ctx context.Context, t *testing.T, s goClientServer) {
		c := s.client(t)
		sum, err := client.Task[int](ctx, c, "app.tasks.add", map[string]int{"a": 5, "b": 3})
		require.NoError(t, err)
		assert.Equal(t, 8, sum)
		odd, err := client.Task[string](ctx, c, "app/tasks/odd id%", nil)
		require.NoError(t, err)
		assert.Equal(t, "odd", odd)
		nothing, err := client.Task[*int](ctx, c, "app.tasks.nothing", nil)
		require.NoError(t, err)
		assert.Nil(t, nothing)
	}},
	{"values", func(ctx context.Context, t *testing.T, s goClientServer) {
		c := s.client(t)
		for _, value := range []string{
			`null`, `true`, `0`, `-1.5`, `"<&> ü 🙂"`, `[]`, `{}`, `[1,[2,{"a":null}]]`, `{"input":{"input":1},"ok":false}`,
			strings.Repeat("[", 999) + strings.Repeat("]", 999), `"` + strings.Repeat("x", 1<<20) + `"`,
		} {
			got, err := client.Task[json.RawMessage](ctx, c, "app.tasks.echo", json.RawMessage(value))
			require.NoError(t, err, "%.40s", value)
			if value == "null" {
				assert.Equal(t, "null", string(got))
				continue
			}
			assert.JSONEq(t, value, string(got))
		}
		got, err := client.Task[json.RawMessage](ctx, c, "app.tasks.echo", nil)
		require.NoError(t, err)
		assert.Nil(t, got, "undefined there and back")
		date := `{"__type":"Date","value":"2024-01-02T03:04:05.678Z"}`
		got, err = client.Task[json.RawMessage](ctx, c, "app.tasks.echo", json.RawMessage(date))
		require.NoError(t, err)
		assert.JSONEq(t, date, string(got))
	}},
	{"events", func(ctx context.Context, t *testing.T, s goClientServer) {
		c := s.client(t)
		require.NoError(t, client.Event(ctx, c, "app.events.notify", map[string]string{"message": "hi"}))
		require.NoError(t, client.Event(ctx, c, "app.events.bare", nil))
		type named struct {
			Name string `json:"name"`
		}
		got, err := client.EventWithResult[named](ctx, c, "app.events.rename", named{"ada"})
		require.NoError(t, err)
		assert.Equal(t, named{"ADA"}, got)
		none, err := client.EventWithResult[*named](ctx, c, "app.events.bare", nil)
		require.NoError(t, err)
		assert.Nil(t, none)
		_, err = client.EventWithResult[named](ctx, c, "app.events.parallel", named{"ada"})
		assertRemote(t, err, 400, protocol.Error{Code: protocol.CodeParallelEventReturn, Message: "Event app.events.parallel is marked parallel; returning a payload is not supported."})
	}},
	{"errors", func(ctx context.Context, t *testing.T, s goClientServer) {
		c := s.client(t)
		quota := protocol.Error{Code: protocol.CodeInternal, Message: "Quota of 3 exceeded", ID: "app.errors.quota", Data: json.RawMessage(`{"limit":3}`)}
		for id, want := range map[string]struct {
			status int
			protocol.Error
		}{
			"app.tasks.fail":   {500, protocol.Error{Code: protocol.CodeInternal, Message: "Internal Error"}},
			"app.tasks.quota":  {500, quota},
			"app.tasks.teapot": {418, protocol.Error{Code: protocol.CodeInternal, Message: "I am a blue pot", ID: "app.errors.teapot", Data: json.RawMessage(`{"pot":"blue"}`), HTTPCode: 418}},
			"app.tasks.hidden": {403, protocol.Error{Code: protocol.CodeForbidden, Message: "Task app.tasks.hidden not exposed"}},
			"no such task":     {403, protocol.Error{Code: protocol.CodeForbidden, Message: "Task no such task not exposed"}},
			"..":               {404, protocol.Error{Code: protocol.CodeNotFound, Message: "Not Found"}},
			"":                 {404, protocol.Error{Code: protocol.CodeNotFound, Message: "Not Found"}},
		} {
			_, err := client.Task[int](ctx, c, id, nil)
			assertRemote(t, err, want.status, want.Error)
			_, err = client.TaskStream(ctx, c, id, nil)
			assertRemote(t, err, want.status, want.Error)
		}
		assertRemote(t, client.Event(ctx, c, "app.events.quota", nil), 500, quota)
		_, err := client.Task[int](ctx, c, "app.tasks.echo", strings.Repeat("x", protocol.DefaultMaxBody))
		assertRemote(t, err, 413, protocol.Error{Code: protocol.CodePayloadTooLarge, Message: "Payload too large"})

		_, err = client.Task[int](ctx, c, "app.tasks.echo", "text")
		var answer *client.AnswerError
		require.ErrorAs(t, err, &answer)
		assert.Equal(t, `{"ok":true,"result":"text"}`, answer.Preview)
	}},
	{"wrong token", func(ctx context.Context, t *testing.T, s goClientServer) {
		unauthorized := protocol.Error{Code: protocol.CodeUnauthorized, Message: "Unauthorized"}
		for _, token := range []string{"", "wrong"} {
			c := s.client(t, func(cfg *client.Config) { cfg.Token = token })
			_, err := client.Task[int](ctx, c, "app.tasks.add", nil)
			assertRemote(t, err, 401, unauthorized)
			assertRemote(t, client.Event(ctx, c, "app.events.notify", nil), 401, unauthorized)
			_, err = c.Discover(ctx)
			assertRemote(t, err, 401, unauthorized)
			_, err = client.Task[int](ctx, c, "goclient.file", &client.File{Reader: strings.NewReader("x")})
			assertRemote(t, err, 401, unauthorized)
			_, err = client.TaskStream(ctx, c, "goclient.upper", strings.NewReader("x"))
			assertRemote(t, err, 401, unauthorized)
		}
	}},
	{"discovery", func(ctx context.Context, t *testing.T, s goClientServer) {
		list, err := s.client(t).Discover(ctx)
		require.NoError(t, err)
		assert.True(t, list.Allows(protocol.KindTask, "app.tasks.add"))
		assert.False(t, list.Allows(protocol.KindTask, "app.tasks.hidden"))
		assert.Equal(t, testapp.AllowList.IDs(protocol.KindEvent), list.IDs(protocol.KindEvent))
	}},
	{"request id", func(ctx context.Context, t *testing.T, s goClientServer) {
		c := s.client(t)
		id, err := client.Task[string](ctx, c, "app.tasks.requestId", nil, client.WithRequestID("mine:1"))
		require.NoError(t, err)
		assert.Equal(t, "mine:1", id)
		_, err = client.Task[string](ctx, c, "app.tasks.fail", nil, client.WithRequestID("mine:2"))
		var failed *client.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, "mine:2", failed.RequestID)
	}},
	{"context", func(ctx context.Context, t *testing.T, s goClientServer) {
		for _, tenant := range []string{"acme", "Zoë 🙂"} {
			got, err := client.Task[string](ctx, s.client(t), "goclient.whose", nil,
				client.WithContext("goclient.tenant", client.RawContext("T:"+tenant)), client.WithContext("unknown", 1))
			require.NoError(t, err)
			assert.Equal(t, tenant, got)
		}
	}},
	{"context of a call ends", func(ctx context.Context, t *testing.T, s goClientServer) {
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		_, err := client.Task[int](short, s.client(t), "app.tasks.sleep", map[string]int{"ms": 1000})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	}},
	{"file", func(ctx context.Context, t *testing.T, s goClientServer) {
		file := &client.File{
			Name: "ü \"quoted\" 🙂.txt", Type: "text/x-own", Size: 5, LastModified: time.UnixMilli(1700000000123),
			Extra: map[string]any{"tags": []any{"a", 1.0}}, Reader: strings.NewReader("hello"),
		}
		got, err := client.Task[described](ctx, s.client(t), "goclient.file", file)
		require.NoError(t, err)
		assert.Equal(t, described{
			Meta:  fileMeta{file.Name, file.Type, 5, 1700000000123, file.Extra},
			Bytes: bytesOf("hello"),
		}, got)
	}},
	{"file of nothing", func(ctx context.Context, t *testing.T, s goClientServer) {
		got, err := client.Task[json.RawMessage](ctx, s.client(t), "goclient.file", &client.File{Reader: strings.NewReader("")})
		require.NoError(t, err)
		var about described
		require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(string(got), protocol.Undefined, "null")), &about))
		assert.Equal(t, described{Meta: fileMeta{Name: "upload", Type: "application/octet-stream"}, Bytes: bytesOf("")}, about)
	}},
	{"files", func(ctx context.Context, t *testing.T, s goClientServer) {
		large := bytes.Repeat([]byte("0123456789abcdef"), 500_000) // 8 MB
		type input struct {
			Note  string         `json:"note"`
			More  []*client.File `json:"more"`
			First *client.File   `json:"first"`
		}
		full := func(text []byte) *client.File {
			return &client.File{Name: "n", Size: int64(len(text)), LastModified: time.UnixMilli(1), Extra: map[string]any{}, Reader: bytes.NewReader(text)}
		}
		// The task reads them as they stand in the form: an order of its own would be a deadlock there.
		type ordered struct {
			Note  string         `json:"note"`
			First *client.File   `json:"first"`
			More  []*client.File `json:"more"`
		}
		type result struct {
			Note      string
			Described []described
		}
		got, err := client.Task[result](ctx, s.client(t), "goclient.files", ordered{"three", full(large), []*client.File{full([]byte("b")), full(large[:100_000])}})
		require.NoError(t, err)
		assert.Equal(t, "three", got.Note)
		require.Len(t, got.Described, 3)
		for i, text := range [][]byte{large, []byte("b"), large[:100_000]} {
			assert.Equal(t, bytesOf(string(text)), got.Described[i].Bytes)
		}
		got, err = client.Task[result](ctx, s.client(t), "goclient.files", input{"small", []*client.File{full([]byte("b"))}, full([]byte("a"))})
		require.NoError(t, err)
		require.Len(t, got.Described, 2)
		assert.Equal(t, bytesOf("a"), got.Described[0].Bytes)
	}},
	{"file that is refused", func(ctx context.Context, t *testing.T, s goClientServer) {
		c := s.client(t)
		_, err := client.Task[int](ctx, c, "goclient.refuseFile", &client.File{Reader: strings.NewReader("x")})
		assertRemote(t, err, 500, protocol.Error{Code: protocol.CodeInternal, Message: "Quota of 3 exceeded", ID: "app.errors.quota", Data: json.RawMessage(`{"limit":3}`)})
		_, err = client.Task[int](ctx, c, "no such task", &client.File{Reader: strings.NewReader("x")})
		assertRemote(t, err, 403, protocol.Error{Code: protocol.CodeForbidden, Message: "Task no such task not exposed"})
		_, err = client.Task[int](ctx, c, "goclient.file", &client.File{Reader: io.LimitReader(testapp.Zeros{}, 21<<20)})
		assertRemote(t, err, 413, protocol.Error{Code: protocol.CodePayloadTooLarge, Message: "File size limit exceeded"})
	}},
	{"file and back", func(ctx context.Context, t *testing.T, s goClientServer) {
		in := map[string]any{"file": &client.File{Type: "text/x-own", Reader: strings.NewReader("there and back")}}
		stream, err := client.TaskStream(ctx, s.client(t), "goclient.fileBack", in)
		require.NoError(t, err)
		defer stream.Close()
		assert.Equal(t, "text/x-own", stream.ContentType)
		body, err := io.ReadAll(stream)
		require.NoError(t, err)
		assert.Equal(t, "there and back", string(body))
	}},
	{"stream in", func(ctx context.Context, t *testing.T, s goClientServer) {
		for _, size := range []int{0, 1, 100_000, 22 << 20} {
			text := strings.Repeat("x", size)
			got, err := client.Task[fileBytes](ctx, s.client(t), "goclient.received", io.MultiReader(strings.NewReader(text)))
			require.NoError(t, err)
			assert.Equal(t, bytesOf(text), got)
		}
	}},
	{"stream out", func(ctx context.Context, t *testing.T, s goClientServer) {
		for _, size := range []int{0, 1, 20 << 20} {
			stream, err := client.TaskStream(ctx, s.client(t), "goclient.download", map[string]int{"size": size})
			require.NoError(t, err)
			assert.Equal(t, 203, stream.Status)
			assert.Equal(t, "text/x-letters", stream.ContentType)
			assert.NotEmpty(t, stream.Header.Get("X-Size"))
			n, err := io.Copy(io.Discard, stream)
			require.NoError(t, err)
			assert.Equal(t, int64(size), n)
			require.NoError(t, stream.Close())
		}
		_, err := client.Task[string](ctx, s.client(t), "goclient.download", map[string]int{"size": 10})
		var answer *client.AnswerError
		require.ErrorAs(t, err, &answer)
		assert.Equal(t, "xxxxxxxxxx", answer.Preview)
	}},
	{"stream in and out at once", func(ctx context.Context, t *testing.T, s goClientServer) {
		r, w := io.Pipe()
		go func() { _, _ = io.WriteString(w, "one\n") }()
		stream, err := client.TaskStream(ctx, s.client(t), "goclient.upper", r)
		require.NoError(t, err)
		defer stream.Close()
		answers := bufio.NewReader(stream)
		for _, next := range []string{"two\n", "three\n", ""} {
			answer, err := answers.ReadString('\n')
			require.NoError(t, err)
			assert.Equal(t, strings.ToUpper(answer), answer)
			_, err = io.WriteString(w, next)
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		_, err = answers.ReadByte()
		assert.Equal(t, io.EOF, err)
	}},
	{"stream left in the middle", func(ctx context.Context, t *testing.T, s goClientServer) {
		r, w := io.Pipe()
		go func() { _, _ = io.WriteString(w, "one\n") }()
		stream, err := client.TaskStream(ctx, s.client(t), "goclient.upper", r)
		require.NoError(t, err)
		_, err = io.ReadFull(stream, make([]byte, 4))
		require.NoError(t, err)
		require.NoError(t, stream.Close())
		_, err = io.WriteString(w, "two\n")
		assert.ErrorIs(t, err, io.ErrClosedPipe)
	}},
}

func assertRemote(t *testing.T, err error, status int, want protocol.Error) {
	t.Helper()
	var got *protocol.Error
	if assert.ErrorAs(t, err, &got) {
		assert.Equal(t, want, *got)
	}
	var failed *client.Error
	if assert.ErrorAs(t, err, &failed) {
		assert.Equal(t, status, failed.Status)
		assert.NotEmpty(t, failed.RequestID)
	}
}

// described is what the tasks of goclient.js say of a file.
type described struct {
	Meta  fileMeta  `json:"meta"`
	Bytes fileBytes `json:"bytes"`
}

type fileMeta struct {
	Name         string         `json:"name"`
	Type         string         `json:"type"`
	Size         int64          `json:"size"`
	LastModified int64          `json:"lastModified"`
	Extra        map[string]any `json:"extra"`
}

type fileBytes struct {
	Size int64  `json:"size"`
	Hash string `json:"hash"`
}

func bytesOf(text string) fileBytes {
	hash := sha256.Sum256([]byte(text))
	return fileBytes{int64(len(text)), hex.EncodeToString(hash[:])}
}

func bytesFrom(r io.Reader) (fileBytes, error) {
	hash := sha256.New()
	n, err := io.Copy(hash, r)
	return fileBytes{n, hex.EncodeToString(hash.Sum(nil))}, err
}

var goClientTasks = []string{
	"goclient.whose", "goclient.file", "goclient.files", "goclient.refuseFile", "goclient.fileBack",
	"goclient.received", "goclient.upper", "goclient.download",
}

// fileInput is a sentinel in an input.
type fileInput struct {
	ID   string   `json:"id"`
	Meta fileMeta `json:"meta"`
}

func (f fileInput) open(call *protocol.Call) (io.ReadCloser, fileMeta, error) {
	part, err := call.Form.Open(f.ID)
	if err != nil {
		return nil, fileMeta{}, err
	}
	if f.Meta.Name == "" {
		f.Meta.Name = part.Name
	}
	return part, f.Meta, nil
}

func (f fileInput) describe(call *protocol.Call) (described, error) {
	file, meta, err := f.open(call)
	if err != nil {
		return described{}, err
	}
	defer file.Close()
	about, err := bytesFrom(file)
	return described{meta, about}, err
}

// addGoClientTasks adds what testdata/runner/goclient.js has.
func addGoClientTasks(r *standalone.Registry) {
	standalone.Task(r, "goclient.whose", func(ctx context.Context, _ any) (string, error) {
		var contexts map[string]string
		err := json.Unmarshal([]byte(standalone.CallFrom(ctx).Header.Get("X-Runner-Context")), &contexts)
		return strings.TrimPrefix(contexts["goclient.tenant"], "T:"), err
	})
	standalone.Task(r, "goclient.file", func(ctx context.Context, in fileInput) (described, error) {
		return in.describe(standalone.CallFrom(ctx))
	})
	type files struct {
		Note  string
		First fileInput
		More  []fileInput
	}
	standalone.Task(r, "goclient.files", func(ctx context.Context, in files) (any, error) {
		var all []described
		for _, f := range append([]fileInput{in.First}, in.More...) {
			one, err := f.describe(standalone.CallFrom(ctx))
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
		return map[string]any{"note": in.Note, "described": all}, nil
	})
	standalone.Task(r, "goclient.refuseFile", func(context.Context, any) (any, error) { return nil, testapp.ErrQuota })
	r.HandleTask("goclient.fileBack", func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		var in struct{ File fileInput }
		if err := json.Unmarshal(call.Payload, &in); err != nil {
			return nil, err
		}
		file, meta, err := in.File.open(call)
		return &protocol.Reply{Stream: file, ContentType: meta.Type}, err
	})
	standalone.Task(r, "goclient.received", func(ctx context.Context, _ any) (fileBytes, error) {
		return bytesFrom(standalone.CallFrom(ctx).Body)
	})
	r.HandleTask("goclient.upper", func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		return &protocol.Reply{Stream: upper{call.Body}, ContentType: "text/plain"}, nil
	})
	r.HandleTask("goclient.download", func(_ context.Context, call *protocol.Call) (*protocol.Reply, error) {
		var in struct{ Size int }
		err := json.Unmarshal(call.Payload, &in)
		return &protocol.Reply{
			Stream: io.NopCloser(strings.NewReader(strings.Repeat("x", in.Size))), Status: 203, ContentType: "text/x-letters",
			StreamHeader: http.Header{"X-Size": {"some"}},
		}, err
	})
}

// upper makes what it reads upper-case.
type upper struct{ io.ReadCloser }

func (u upper) Read(b []byte) (int, error) {
	n, err := u.ReadCloser.Read(b)
	copy(b, bytes.ToUpper(b[:n]))
	return n, err
}
