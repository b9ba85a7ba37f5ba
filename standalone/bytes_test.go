package standalone_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"
)

func TestStreams(t *testing.T) {
	r := standalone.NewRegistry()
	standalone.Task(r, "upper", func(_ context.Context, in io.Reader) (io.Reader, error) {
		text, err := io.ReadAll(in)
		return strings.NewReader(strings.ToUpper(string(text))), err
	})
	standalone.Task(r, "same", func(_ context.Context, in io.ReadCloser) (io.ReadCloser, error) { return in, nil })
	standalone.Task(r, "reply", func(_ context.Context, in io.Reader) (*protocol.Reply, error) {
		return &protocol.Reply{Stream: io.NopCloser(in), Status: 201}, nil
	})
	standalone.Task(r, "nil", func(context.Context, any) (io.ReadCloser, error) { return nil, nil })
	run := func(id string, body io.ReadCloser) (*protocol.Reply, error) {
		return r.Execute(context.Background(), &protocol.Call{ID: id, Body: body})
	}
	for id, want := range map[string]string{"upper": "ABC", "same": "abc", "reply": "abc"} {
		reply, err := run(id, io.NopCloser(strings.NewReader("abc")))
		require.NoError(t, err)
		text, err := io.ReadAll(reply.Stream)
		require.NoError(t, err)
		assert.Equal(t, want, string(text), id)
		assert.NoError(t, reply.Stream.Close())
		assert.Nil(t, reply.Value)

		_, err = run(id, nil)
		var public *protocol.Error
		require.ErrorAs(t, err, &public)
		assert.Equal(t, protocol.CodeUnsupportedMediaType, public.Code)
		assert.Contains(t, public.Message, "application/octet-stream")
	}
	reply, err := run("nil", nil)
	require.NoError(t, err)
	assert.Equal(t, &protocol.Reply{}, reply)
}

// A stream whose source waits ends with the context, and is closed once.
func TestStreamEndsWithItsContext(t *testing.T) {
	source := &waiting{closed: make(chan struct{})}
	r := standalone.NewRegistry()
	standalone.Task(r, "wait", func(context.Context, any) (io.Reader, error) { return source, nil })
	ctx, cancel := context.WithCancel(context.Background())
	reply, err := r.Execute(ctx, &protocol.Call{ID: "wait"})
	require.NoError(t, err)
	cancel()
	_, err = io.ReadAll(reply.Stream)
	assert.ErrorIs(t, err, io.ErrClosedPipe)
	assert.NoError(t, reply.Stream.Close(), "it would panic a second time")
}

// waiting is a source with nothing to read until it is closed.
type waiting struct{ closed chan struct{} }

func (w *waiting) Read([]byte) (int, error) { <-w.closed; return 0, io.ErrClosedPipe }
func (w *waiting) Close() error             { close(w.closed); return nil }

const f1 = `{"$runnerFile":"File","id":"F1"`

// formCall returns the call of a form with an input and the file F1.
func formCall(t *testing.T, id, input, partHeader string) *protocol.Call {
	form := protocol.NewForm(io.NopCloser(strings.NewReader(
		"--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n{\"input\":"+input+"}\r\n"+
			"--b\r\nContent-Disposition: form-data; name=\"file:F1\""+partHeader+"\r\n\r\ndata\r\n--b--\r\n",
	)), "multipart/form-data; boundary=b", protocol.Limits{})
	t.Cleanup(func() { _ = form.Close() })
	payload, err := form.Manifest()
	require.NoError(t, err)
	return &protocol.Call{ID: id, Payload: payload, Form: form}
}

func TestFileMetadata(t *testing.T) {
	r := standalone.NewRegistry()
	var got standalone.File
	standalone.Task(r, "file", func(ctx context.Context, in standalone.File) (string, error) {
		file, err := in.Open(ctx)
		if err != nil {
			return "", err
		}
		got = in
		text, err := io.ReadAll(file)
		return string(text), errors.Join(err, file.Close())
	})
	const named = `; filename="p.txt"` + "\r\nContent-Type: text/css; a=b"
	for _, c := range []struct {
		meta, part string
		want       standalone.File
	}{
		{``, named, standalone.File{Name: "p.txt", Type: "text/css"}},
		{``, "\r\nContent-Type: application/octet-stream", standalone.File{Name: "upload", Type: "application/octet-stream"}},
		{``, `; filename="x"`, standalone.File{Name: "x", Type: "text/plain"}},
		{`,"meta":{"name":"m","type":"a/b","size":5,"lastModified":7.0,"extra":{"a":[1]}}`, named,
			standalone.File{Name: "m", Type: "a/b", Size: 5, LastModified: 7, Extra: []byte(`{"a":[1]}`)}},
		{`,"meta":{"name":null,"type":""}`, named, standalone.File{}},
		{`,"meta":{"name":{"__type":"Undefined","value":null},"size":"x","lastModified":1e300}`, named, standalone.File{Name: "p.txt", Type: "text/css"}},
		{`,"meta":5`, named, standalone.File{Name: "p.txt", Type: "text/css"}},
	} {
		reply, err := r.Execute(context.Background(), formCall(t, "file", f1+c.meta+"}", c.part))
		require.NoError(t, err, c)
		assert.Equal(t, `"data"`, string(reply.Value))
		assert.Equal(t, []any{"F1", c.want.Name, c.want.Type, c.want.Size, c.want.LastModified, string(c.want.Extra)},
			[]any{got.ID, got.Name, got.Type, got.Size, got.LastModified, string(got.Extra)}, c)
	}
}

func TestFilesAnywhereInTheInput(t *testing.T) {
	type nested struct {
		Deep struct{ File *standalone.File }
	}
	r := standalone.NewRegistry()
	open := func(ctx context.Context, file *standalone.File) (string, error) {
		source, err := file.Open(ctx)
		if err != nil {
			return "", err
		}
		text, err := io.ReadAll(source)
		return string(text), err
	}
	standalone.Task(r, "pointer", open)
	standalone.Task(r, "nested", func(ctx context.Context, in nested) (string, error) { return open(ctx, in.Deep.File) })
	standalone.Task(r, "slice", func(ctx context.Context, in []standalone.File) (string, error) { return open(ctx, &in[0]) })
	standalone.Task(r, "pointers", func(ctx context.Context, in []*standalone.File) (string, error) { return open(ctx, in[1]) })
	standalone.Task(r, "map", func(ctx context.Context, in map[string]standalone.File) (string, error) {
		file := in["a"]
		return open(ctx, &file)
	})
	const file = f1 + `}`
	for id, input := range map[string]string{
		"pointer": `{"$ejson":"File","meta":{},"id":"F1"}`, "nested": `{"deep":{"file":` + file + `}}`, "slice": `[` + file + `]`,
		"pointers": `[null,` + file + `]`, "map": `{"a":` + file + `}`,
	} {
		reply, err := r.Execute(context.Background(), formCall(t, id, input, `; filename="x"`))
		require.NoError(t, err, id)
		assert.Equal(t, `"data"`, string(reply.Value), id)

		_, err = r.Execute(context.Background(), &protocol.Call{ID: id, Payload: []byte(input)})
		assert.EqualError(t, err, "UNSUPPORTED_MEDIA_TYPE: The task takes a body of type multipart/form-data", id)
	}
}

func TestWhatIsNoFile(t *testing.T) {
	r := standalone.NewRegistry()
	standalone.Task(r, "file", func(context.Context, struct{ File standalone.File }) (bool, error) { return true, nil })
	standalone.Task(r, "files", func(context.Context, []*standalone.File) (bool, error) { return true, nil })
	for _, file := range []string{`5`, `"x"`, `[]`, `{}`, `{"id":"F1"}`, `{"$runnerFile":"File"}`, `{"$runnerFile":"File","id":1}`, `{"$runnerFile":"Other","id":"F1"}`, `true`} {
		for id, input := range map[string]string{"file": `{"file":` + file + `}`, "files": `[` + file + `]`} {
			_, err := execute(r, id, input)
			var public *protocol.Error
			if assert.ErrorAs(t, err, &public, input) {
				assert.Equal(t, protocol.CodeInvalidInput, public.Code, input)
				assert.Equal(t, "Invalid input: not a file", public.Message, input)
			}
		}
	}
}
