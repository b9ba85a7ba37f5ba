// Command quickstart is the example of the README.
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

type AddInput struct {
	A int `json:"a"`
	B int `json:"b"`
}

func add(ctx context.Context, in AddInput) (int, error) { return in.A + in.B, nil }

func main() {
	tasks := standalone.NewRegistry()
	standalone.Task(tasks, "app.tasks.add", add)

	http.Handle("/__runner/", tunnel.New(tasks, tunnel.Config{Tokens: []string{"secret"}}))
	log.Fatal(http.ListenAndServe("127.0.0.1:7070", nil))
}
