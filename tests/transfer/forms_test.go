package transfer_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	tunnel "github.com/bluelibs/go-tunnel"

	"github.com/bluelibs/go-tunnel/tests/testapp"
)

// uploadManifest is the manifest of a kit.upload that reads the file a.
const uploadManifest = `{"input":{"files":{"a":{"$runnerFile":"File","id":"a","meta":{}}},"read":["a"]}}`

// uploadHead announces a form for it of so many bytes.
const uploadHead = "POST /__runner/task/kit.upload HTTP/1.1\r\nHost: localhost\r\nX-Runner-Token: secret\r\n" +
	"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n"

// libraryForm is a form with these header lines of its manifest and of its file, which
// have | between them.
func libraryForm(manifest, file string) string {
	lines := strings.NewReplacer("|", "\r\n")
	return "--b\r\n" + lines.Replace(manifest) + "\r\n\r\n" + uploadManifest + "\r\n--b\r\n" + lines.Replace(file) + "\r\n\r\ncontent\r\n--b--\r\n"
}

// Forms are taken as HTTP libraries write them.
func TestFormsOfLibraries(t *testing.T) {
	const field = `Content-Disposition: form-data; name="__manifest"`
	const file = `Content-Disposition: form-data; name="file:a"; `
	for _, name := range []string{"standalone", "module", "runner"} {
		base := testapp.Serve(t, testapp.Executors[name](t), tunnel.Config{})
		for library, c := range map[string]struct{ form, name string }{
			"Apache HttpClient 5, in Latin-1": {
				libraryForm(field+"|Content-Type: text/plain; charset=UTF-8", file+"filename=\"na\xefve.txt\"|Content-Type: application/octet-stream"), "naïve.txt",
			},
			"Apache HttpClient 5, extended": {
				libraryForm(field+"|Content-Type: text/plain; charset=UTF-8", file+`filename="na%C3%AFve.txt"; filename*="UTF-8''na%C3%AFve.txt"|Content-Type: text/plain`), "naïve.txt",
			},
			"a Blob in FormData": {
				libraryForm(field+`; filename="blob"|Content-Type: application/json`, file+`filename="doc.txt"|Content-Type: application/octet-stream`), "doc.txt",
			},
			"curl --form __manifest=@file": {
				libraryForm(field+`; filename="m.json"|Content-Type: application/octet-stream`, file+`filename="doc.txt"|Content-Type: text/plain`), "doc.txt",
			},
			"another charset": {
				libraryForm(field, file+`filename*=iso-8859-1''na%EFve.txt|Content-Type: text/plain`), "naïve.txt",
			},
			"two names": {
				libraryForm(field, file+`filename="one.txt"; filename="two.txt"|Content-Type: text/plain`), "one.txt",
			},
			"encodeURIComponent": {
				libraryForm(field, file+`filename*=UTF-8''na%C3%AFve%20(1).txt|Content-Type: text/plain`), "naïve (1).txt",
			},
		} {
			res, err := sendTo(t.Context(), base, "kit.upload", "multipart/form-data; boundary=b", strings.NewReader(c.form))
			require.NoError(t, err)
			text, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			assert.Equal(t, http.StatusOK, res.StatusCode, "%s, %s: %s", name, library, text)
			assert.Contains(t, string(text), `"name":"`+c.name+`"`, "%s, %s", name, library)
		}
	}
}

// A caller who stops sending is answered with 408 wherever that happens.
func TestFormsThatStall(t *testing.T) {
	const form = "preamble\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nfield\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"__manifest\"\r\n\r\n" + uploadManifest + "\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"file:a\"; filename=\"a\"\r\n\r\ncontent\r\n" +
		"--b--\r\nepilogue"
	var addresses []string
	for _, exec := range []tunnel.Executor{testapp.GoApp(), testapp.ModuleApp(t)} {
		server := httptest.NewUnstartedServer(tunnel.New(exec, tunnel.Config{Tokens: []string{"secret"}, Logger: testapp.Quiet}))
		server.Config.ReadTimeout = 50 * time.Millisecond
		server.Start()
		t.Cleanup(server.Close)
		addresses = append(addresses, server.Listener.Addr().String())
	}
	for _, behind := range []string{
		"", "pream", "preamble\r\n", "preamble\r\n--", "--b", "--b\r", "--b\r\n", "--b\r\nContent-Dis", "form-data; na", "name=\"x\"\r\n", "name=\"x\"\r\n\r",
		"name=\"x\"\r\n\r\n", "fiel", "field\r\n--", "field\r\n--b\r\n", "__manifest\"", `{"input"`, uploadManifest, uploadManifest + "\r\n--b", "file:a",
		"filename=\"a\"\r\n\r\n", "conte", "content\r\n--b", "content\r\n--b--", "content\r\n--b--\r\n", "epi",
	} {
		t.Run(fmt.Sprintf("behind %q", behind), func(t *testing.T) {
			t.Parallel()
			sent := form[:strings.Index(form, behind)+len(behind)]
			for _, address := range addresses {
				conn, err := net.Dial("tcp", address)
				require.NoError(t, err)
				defer conn.Close()
				_, err = io.WriteString(conn, fmt.Sprintf(uploadHead, len(form))+sent)
				require.NoError(t, err)
				require.NoError(t, conn.SetReadDeadline(time.Now().Add(hang)))
				res, err := http.ReadResponse(bufio.NewReader(conn), nil)
				require.NoError(t, err)
				defer res.Body.Close()
				text, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				assert.Equal(t, http.StatusRequestTimeout, res.StatusCode, "%s", text)
			}
		})
	}
}

// What the caller got wrong about files is not the server's error, and no line above
// Debug.
func TestCallersWithoutTheirFiles(t *testing.T) {
	const sentinels = `{"input":{"files":{"a":{"$runnerFile":"File","id":"a"},"b":{"$ejson":"File","id":"b"}},"read":["b"]}}`
	const escaped = `{"input":{"files":{"a":{"$runner\u0046ile":"\u0046ile","id":"a"}},"read":["a"]}}`
	for _, name := range []string{"standalone", "module", "runner"} {
		var log strings.Builder
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
		server := httptest.NewServer(tunnel.New(testapp.Executors[name](t), tunnel.Config{Tokens: []string{"secret"}, Logger: logger}))
		for _, body := range []string{sentinels, escaped} {
			res, err := sendTo(t.Context(), server.URL, "kit.upload", "application/json", strings.NewReader(body))
			require.NoError(t, err)
			text, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			assert.Equal(t, http.StatusUnsupportedMediaType, res.StatusCode, "%s: %s", name, text)
			assert.Contains(t, string(text), `"UNSUPPORTED_MEDIA_TYPE"`, name)
			assert.Contains(t, string(text), "multipart/form-data", name)
		}
		server.Close()
		assert.Empty(t, log.String(), name)
	}
}
