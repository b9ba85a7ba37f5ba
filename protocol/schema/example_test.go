package schema_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol/schema"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

// Inputs that do not fit are refused before there is any work.
func Example() {
	set, err := schema.Compile(schema.Sources{Tasks: map[string]any{
		"app.tasks.greet": json.RawMessage(`{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}`),
	}})
	if err != nil {
		panic(err)
	}
	tasks := standalone.NewRegistry()
	standalone.Task(tasks, "app.tasks.greet", func(_ context.Context, in struct{ Name string }) (string, error) {
		return "Hello, " + in.Name + "!", nil
	})
	handler := tunnel.New(tasks, tunnel.Config{Tokens: []string{"secret"}, Middleware: []tunnel.Middleware{tunnel.Check(set.Check)}, Schemas: set.Schemas})
	for _, input := range []string{`{"name": "Ada"}`, `{"name": 7}`} {
		r := httptest.NewRequest(http.MethodPost, "/__runner/task/app.tasks.greet", strings.NewReader(`{"input": `+input+`}`))
		r.Header.Set("x-runner-token", "secret")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 {"ok":true,"result":"Hello, Ada!"}
	// 400 {"ok":false,"error":{"message":"Invalid input","code":"INVALID_INPUT","data":{"issues":[{"pointer":"/name","reason":"must be string, is number"}]}}}
}
