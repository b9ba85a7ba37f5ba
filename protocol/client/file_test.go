package client_test

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/client"
)

// form is a form as a server got it: the manifest, and what follows it.
type form struct {
	manifest string
	parts    []formPart
}

type formPart struct{ name, filename, contentType, body string }

// readForm reads any form; the first part must be the manifest, which is no file.
func readForm(t *testing.T, r *http.Request) (f form) {
	reader, err := r.MultipartReader()
	if !assert.NoError(t, err) {
		return f
	}
	for {
		part, err := reader.NextPart()
		if err == io.EOF {
			return f
		}
		if !assert.NoError(t, err) {
			return f
		}
		body, err := io.ReadAll(part)
		assert.NoError(t, err)
		if part.FormName() == "__manifest" {
			assert.Empty(t, f.parts)
			assert.Empty(t, part.FileName())
			assert.Empty(t, part.Header.Get("Content-Type"))
			f.manifest += string(body)
			continue
		}
		f.parts = append(f.parts, formPart{part.FormName(), part.FileName(), part.Header.Get("Content-Type"), string(body)})
	}
}

func upload(t *testing.T, in any) (f form, err error) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		f = readForm(t, r)
		_, _ = io.WriteString(w, okAnswer)
	})
	_, err = client.Task[int](bounded(t), c, "a", in)
	return f, err
}

func TestFiles(t *testing.T) {
	type embedded struct{ Inner *client.File }
	type holder struct {
		embedded
		Named  *client.File `json:"named"`
		Hidden *client.File `json:"-"`
		None   *client.File `json:"none"`
		List   []*client.File
		At     time.Time
		secret *client.File
	}
	text := func(s string) *client.File { return &client.File{Reader: strings.NewReader(s)} }
	twice := text("twice")
	const sentinel = `{"$runnerFile":"File","id":"%","meta":{"type":"application/octet-stream"}}`
	for name, c := range map[string]struct {
		in       any
		manifest string // % stands for the ids in turn
		bodies   []string
	}{
		"root":     {text("x"), `{"input":` + sentinel + `}`, []string{"x"}},
		"empty":    {text(""), `{"input":` + sentinel + `}`, []string{""}},
		"map":      {map[string]any{"b": text("2"), "a": text("1"), "c": []any{nil, text("3"), "x"}}, `{"input":{"a":` + sentinel + `,"b":` + sentinel + `,"c":[null,` + sentinel + `,"x"]}}`, []string{"1", "2", "3"}},
		"array":    {[2]*client.File{text("1"), text("2")}, `{"input":[` + sentinel + `,` + sentinel + `]}`, []string{"1", "2"}},
		"pointers": {new(any), `{"input":null}`, nil},
		"the same": {[]any{twice, twice}, `{"input":[` + sentinel + `,{"$runnerFile":"File","id":"F1","meta":{"type":"application/octet-stream"}}]}`, []string{"twice"}},
		"structs": {holder{embedded: embedded{text("i")}, Named: text("n"), Hidden: text("h"), List: []*client.File{text("l")}, secret: text("s")},
			`{"input":{"Inner":` + sentinel + `,"named":` + sentinel + `,"none":null,"List":[` + sentinel + `],"At":"0001-01-01T00:00:00Z"}}`, []string{"i", "n", "l"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.bodies == nil {
				var got []received
				_, err := client.Task[int](t.Context(), serve(t, recording(&got, okAnswer)), "a", c.in)
				require.NoError(t, err)
				assert.Equal(t, c.manifest, got[0].body)
				return
			}
			f, err := upload(t, c.in)
			require.NoError(t, err)
			var bodies []string
			seen := make(map[string]bool)
			for _, part := range f.parts {
				id, isFile := strings.CutPrefix(part.name, "file:")
				require.True(t, isFile)
				require.False(t, seen[id], "an id twice")
				seen[id] = true
				c.manifest = strings.Replace(c.manifest, `"%"`, `"`+id+`"`, 1)
				bodies = append(bodies, part.body)
				assert.Equal(t, "upload", part.filename)
				assert.Equal(t, "application/octet-stream", part.contentType)
			}
			assert.Equal(t, c.manifest, f.manifest)
			assert.Equal(t, c.bodies, bodies)
		})
	}
}

func TestFileMetadata(t *testing.T) {
	for _, name := range []string{"a.txt", "ü 🙂.txt", `quo"te\.txt`, "line\r\nbreak: x", "a/b.txt", " ", ";", strings.Repeat("n", 5000)} {
		f, err := upload(t, &client.File{
			Name: name, Type: "text/plain; charset=utf-8", Size: 3, LastModified: time.UnixMilli(1700000000123),
			Extra: map[string]any{"a": []int{1}}, Reader: strings.NewReader("abc"),
		})
		require.NoError(t, err)
		var manifest struct {
			Input struct {
				Meta struct {
					Name, Type         string
					Size, LastModified int64
					Extra              map[string]any
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(f.manifest), &manifest))
		assert.Equal(t, name, manifest.Input.Meta.Name)
		assert.Equal(t, "text/plain; charset=utf-8", manifest.Input.Meta.Type)
		assert.Equal(t, int64(3), manifest.Input.Meta.Size)
		assert.Equal(t, int64(1700000000123), manifest.Input.Meta.LastModified)
		assert.Equal(t, map[string]any{"a": []any{1.0}}, manifest.Input.Meta.Extra)
		require.Len(t, f.parts, 1)
		assert.Equal(t, "text/plain; charset=utf-8", f.parts[0].contentType)
		assert.NotEmpty(t, f.parts[0].filename)
		assert.Equal(t, "abc", f.parts[0].body)
	}
}

// Values and types that lead back to themselves are looked through once.
func TestFilesInCycles(t *testing.T) {
	type list []list
	type table map[string]table
	type node struct {
		Next *node        `json:"next,omitempty"`
		File *client.File `json:"file,omitempty"`
		Any  any          `json:"any,omitempty"`
	}
	for _, in := range []any{list{{}, {{}}}, table{"a": {"b": nil}}, (*client.File)(nil), node{}, []func(){}, make(chan int), struct{ x *client.File }{}} {
		var got []received
		_, err := client.Task[int](t.Context(), serve(t, recording(&got, okAnswer)), "a", in)
		if len(got) == 0 {
			assert.ErrorContains(t, err, "encode", "%T", in)
			continue
		}
		require.NoError(t, err, "%T", in)
		assert.Equal(t, "application/json; charset=utf-8", got[0].header.Get("Content-Type"), "%T", in)
	}
	file := &client.File{Reader: strings.NewReader("x")}
	f, err := upload(t, node{Next: &node{Next: &node{File: file}}, Any: []node{{File: file}}})
	require.NoError(t, err)
	require.Len(t, f.parts, 1)
	assert.Equal(t, 2, strings.Count(f.manifest, `"$runnerFile"`))

	ring := &node{File: file}
	ring.Next, ring.Any = ring, []any{ring, ring}
	_, err = client.Task[int](t.Context(), newClient(t, "http://127.0.0.1:1"), "a", ring)
	assert.ErrorContains(t, err, "encode")
}

// A part's header is not for a file's type to end.
func TestFileTypeWithLineBreak(t *testing.T) {
	f, err := upload(t, &client.File{Type: "a/b\r\nX-Evil: 1\r\n\r\nbytes", Reader: strings.NewReader("abc")})
	require.NoError(t, err)
	require.Len(t, f.parts, 1)
	assert.Equal(t, "abc", f.parts[0].body)
	assert.NotContains(t, f.parts[0].contentType, "\n")
}

// hiding encodes a file that nothing can find before.
type hiding struct{ f *client.File }

func (h hiding) MarshalJSON() ([]byte, error) { return h.f.MarshalJSON() }

func TestHiddenFile(t *testing.T) {
	f := &client.File{Reader: strings.NewReader("x")}
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	_, err := client.Task[int](t.Context(), c, "a", map[string]any{"x": hiding{f}})
	assert.ErrorContains(t, err, "cannot search")
	_, err = json.Marshal(f)
	assert.Error(t, err, "outside of a call")
	_, err = upload(t, f)
	require.NoError(t, err)
	_, err = json.Marshal(f)
	assert.Error(t, err, "after a call")
}

var errReader = errors.New("the disk is gone")

// closing counts how often a reader is closed.
type closing struct {
	io.Reader
	closed *int
}

func (c closing) Close() error {
	*c.closed++
	return nil
}

// When a reader fails the server must not take what it got for everything.
func TestFailingReader(t *testing.T) {
	for name, input := range map[string]func(io.Reader) any{
		"file":   func(r io.Reader) any { return &client.File{Reader: r} },
		"stream": func(r io.Reader) any { return r },
	} {
		t.Run(name, func(t *testing.T) {
			whole := make(chan error, 1)
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				whole <- err
			})
			closed := 0
			reader := closing{io.MultiReader(bytes.NewReader(make([]byte, 100_000)), iotest.ErrReader(errReader)), &closed}
			_, err := client.Task[int](bounded(t), c, "a", input(reader))
			assert.ErrorIs(t, err, errReader)
			var transport *client.TransportError
			assert.ErrorAs(t, err, &transport)
			assert.Error(t, <-whole)
			assert.Equal(t, 1, closed)
		})
	}
}

// Readers are closed once, whatever becomes of the call.
func TestReadersAreClosed(t *testing.T) {
	closed := 0
	input := func() any { return map[string]any{"f": &client.File{Reader: closing{strings.NewReader("x"), &closed}}} }
	good := serve(t, answering(200, "application/json", okAnswer))
	_, err := client.Task[int](t.Context(), good, "a", input())
	require.NoError(t, err)
	assert.Equal(t, 1, closed)

	_, err = client.Task[int](t.Context(), newClient(t, "http://127.0.0.1:1"), "a", input())
	require.Error(t, err)
	assert.Equal(t, 2, closed)

	_, err = client.TaskStream(t.Context(), good, "a", closing{strings.NewReader("x"), &closed})
	require.Error(t, err)
	assert.Equal(t, 3, closed)

	stream, err := client.TaskStream(t.Context(), serve(t, answering(200, "text/plain", "y")), "a", input())
	require.NoError(t, err)
	require.NoError(t, stream.Close())
	assert.Equal(t, 4, closed)

	bad := client.WithContext("c", func() {})
	_, err = client.TaskStream(t.Context(), good, "a", input(), bad)
	require.Error(t, err)
	assert.Equal(t, 5, closed)
	_, err = client.Task[int](t.Context(), good, "a", input(), bad)
	require.Error(t, err)
	assert.Equal(t, 6, closed)
}

// endless never ends, and waits for no one.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// A server may answer before it has read everything, or anything. The call ends then, and
// nothing is left of it: TestMain looks for goroutines.
func TestEarlyAnswer(t *testing.T) {
	for name, reader := range map[string]func() io.Reader{
		"that always has more": func() io.Reader { return endless{} },
		"that waits": func() io.Reader {
			r, _ := io.Pipe()
			return r
		},
	} {
		for kind, input := range map[string]func(io.Reader) any{
			"file":   func(r io.Reader) any { return &client.File{Reader: r} },
			"stream": func(r io.Reader) any { return r },
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				c := serve(t, func(w http.ResponseWriter, r *http.Request) {
					controller := http.NewResponseController(w)
					assert.NoError(t, controller.EnableFullDuplex())
					const refusal = `{"ok":false,"error":{"message":"Task a not exposed","code":"FORBIDDEN"}}`
					w.Header().Set("Content-Length", strconv.Itoa(len(refusal)))
					w.WriteHeader(http.StatusForbidden)
					_, _ = io.WriteString(w, refusal)
					assert.NoError(t, controller.Flush())
					// The connection ends when the client has left it.
					_, _ = io.Copy(io.Discard, r.Body)
				})
				_, err := client.Task[int](bounded(t), c, "a", input(reader()))
				var remote *protocol.Error
				require.ErrorAs(t, err, &remote)
				assert.Equal(t, protocol.CodeForbidden, remote.Code)
			})
		}
	}
}

// A file is sent while it is read: the server has its beginning before its end exists.
func TestUploadIsStreamed(t *testing.T) {
	r, w := io.Pipe()
	got := make(chan string, 1)
	c := serve(t, func(answer http.ResponseWriter, request *http.Request) {
		reader, err := request.MultipartReader()
		if !assert.NoError(t, err) {
			return
		}
		var part *multipart.Part
		for part == nil || part.FormName() == "__manifest" {
			if part, err = reader.NextPart(); !assert.NoError(t, err) {
				return
			}
		}
		first := make([]byte, 5)
		_, err = io.ReadFull(part, first)
		assert.NoError(t, err)
		got <- string(first)
		rest, err := io.ReadAll(part)
		assert.NoError(t, err)
		got <- string(rest)
		_, _ = io.WriteString(answer, okAnswer)
	})
	done := make(chan error, 1)
	go func() {
		_, err := client.Task[int](bounded(t), c, "a", &client.File{Reader: r})
		done <- err
	}()
	_, err := io.WriteString(w, "first")
	require.NoError(t, err)
	assert.Equal(t, "first", <-got)
	_, err = io.WriteString(w, "second")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	assert.Equal(t, "second", <-got)
	require.NoError(t, <-done)
}

// What a call costs in memory does not grow with the file.
func TestUploadInConstantMemory(t *testing.T) {
	const size = 256 << 20
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		assert.NoError(t, err)
		assert.Greater(t, n, int64(size))
		_, _ = io.WriteString(w, okAnswer)
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := client.Task[int](bounded(t), c, "a", &client.File{Reader: io.LimitReader(endless{}, size)})
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size/16), "allocated on both sides together")
}
