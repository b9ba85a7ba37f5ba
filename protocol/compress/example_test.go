package compress_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol/compress"
)

// It stands around a tunnel.Handler, or any other that answers with JSON.
func ExampleHandler() {
	tunnel := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, `{"ok":true,"result":"`+strings.Repeat("long ", 1000)+`"}`)
	})
	r := httptest.NewRequest(http.MethodPost, "/__runner/task/app.tasks.list", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	compress.Handler(tunnel).ServeHTTP(w, r)
	fmt.Println(w.Header().Get("Content-Encoding"), w.Body.Len() < 500)
	// Output: gzip true
}
