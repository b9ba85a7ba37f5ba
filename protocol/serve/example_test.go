package serve_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// A front of one's own reads a body under a limit, and answers.
func ExampleReadBody() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := serve.OverNetHTTP(w, r)
		body, err := serve.ReadBody(nil, x, r, 1<<20)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = serve.WriteResult(x, body)
	})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"a": 1}`)))
	fmt.Println(w.Code, w.Body)
	// Output: 200 {"ok":true,"result":{"a": 1}}
}
