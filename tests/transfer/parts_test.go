package transfer_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/tests/internal/runner"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

// Parts may stand in any order and files be read in any other, or not at all, by tasks
// in Go and in Node.js, whatever their sizes: the answer is right, and no temporary file
// is left.
func TestEveryOrderOfParts(t *testing.T) {
	const manifest = 3 // its place among the parts; 0 to 2 are files
	sizes := [][]int{{0, 1, 70_000}}
	if long() {
		sizes = append(sizes, []int{300_000, 5 << 20, 0}, []int{5 << 20, 5 << 20, 5 << 20})
	}
	few := [][]int{{}, {0, 1, 2}, {2, 1, 0}, {1}}
	for _, name := range []string{"standalone", "module", "runner"} {
		t.Run(name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			base := testapp.Serve(t, testapp.Executors[name](t), tunnel.Config{})
			for _, sizes := range sizes {
				files := make([][]byte, len(sizes))
				for i, size := range sizes {
					files[i] = bytes.Repeat([]byte{byte('a' + i)}, size)
				}
				for _, order := range orders([]int{0, 1, 2, manifest}) {
					for _, read := range readings([]int{0, 1, 2}) {
						upload(t, base, files, order, read)
					}
				}
			}
			// Large ones in an order that fits to the reading, and in those that do not.
			large := [][]byte{bytes.Repeat([]byte("x"), 300_000), bytes.Repeat([]byte("y"), 2<<20), {}}
			for _, order := range [][]int{{manifest, 0, 1, 2}, {0, manifest, 2, 1}, {1, 0, 2, manifest}} {
				for _, read := range few {
					upload(t, base, large, order, read)
				}
			}
			left, err := os.ReadDir(temp)
			require.NoError(t, err)
			for _, entry := range left {
				assert.True(t, entry.IsDir(), "%s is left", entry.Name()) // directories are those of other tests
			}
		})
	}
}

// upload sends a form whose parts stand in an order, to a task that reads files in
// another one.
// A task whose time is over while its file arrives has not got a bad form.
func TestTimeoutOfAForm(t *testing.T) {
	opts := ipc.Node(filepath.Join(runner.Dir, "tasks.mjs"))
	opts.TaskTimeout, opts.CancelGrace = 50*time.Millisecond, time.Minute
	base := testapp.ServeAsIs(t, testapp.StartWorker(t, opts), tunnel.Config{Tokens: []string{"secret"}})
	body, input := io.Pipe()
	defer input.Close()
	go func() {
		_, _ = io.WriteString(input, "--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n"+
			`{"input":{"file":{"$runnerFile":"File","id":"F1"}}}`+
			"\r\n--b\r\nContent-Disposition: form-data; name=\"file:F1\"; filename=\"a\"\r\n\r\nbegin")
	}()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	res, err := sendTo(ctx, base, "app.bytes.file", "multipart/form-data; boundary=b", body)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, 504, res.StatusCode)
	assert.Contains(t, string(text), `"TASK_TIMEOUT"`)
}

func upload(t *testing.T, base string, files [][]byte, order, read []int) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range order {
		if part < len(files) {
			header := textproto.MIMEHeader{"Content-Type": {"text/x"}}
			header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="file:F%d"; filename="f%d"`, part, part))
			w, err := form.CreatePart(header)
			require.NoError(t, err)
			_, _ = w.Write(files[part])
			continue
		}
		keys := []string{}
		for _, i := range read {
			keys = append(keys, fmt.Sprintf("k%d", i))
		}
		sentinels := map[string]any{}
		for i := range files {
			sentinels[fmt.Sprintf("k%d", i)] = map[string]any{"$runnerFile": "File", "id": fmt.Sprintf("F%d", i), "meta": map[string]any{}}
		}
		text, err := json.Marshal(map[string]any{"input": map[string]any{"files": sentinels, "read": keys}})
		require.NoError(t, err)
		require.NoError(t, form.WriteField("__manifest", string(text)))
	}
	require.NoError(t, form.Close())
	res, err := sendTo(t.Context(), base, "kit.upload", form.FormDataContentType(), &body)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "order %v, read %v: %s", order, read, answer)
	var want []string
	for _, i := range read {
		want = append(want, fmt.Sprintf(`{"name":"f%d","type":"text/x","size":%d,"sha256":"%x"}`, i, len(files[i]), sha256.Sum256(files[i])))
	}
	require.JSONEq(t, `{"ok":true,"result":[`+strings.Join(want, ",")+`]}`, string(answer), "order %v, read %v", order, read)
}

// orders returns all permutations.
func orders(of []int) (all [][]int) {
	if len(of) == 0 {
		return [][]int{{}}
	}
	for i, first := range of {
		rest := slices.Concat(of[:i:i], of[i+1:])
		for _, order := range orders(rest) {
			all = append(all, append([]int{first}, order...))
		}
	}
	return all
}

// readings returns all orders of all subsets.
func readings(of []int) (all [][]int) {
	for subset := range 1 << len(of) {
		var chosen []int
		for i, one := range of {
			if subset>>i&1 == 1 {
				chosen = append(chosen, one)
			}
		}
		all = append(all, orders(chosen)...)
	}
	return all
}
