package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/client"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

type addInput struct{ A, B int }

// adder serves one task, which takes small numbers only.
func adder() *httptest.Server {
	tasks := standalone.NewRegistry()
	standalone.Task(tasks, "app.tasks.add", func(_ context.Context, in addInput) (int, error) {
		if in.A > 100 {
			return 0, &protocol.Error{ID: "app.errors.tooLarge", Message: "Too large", Data: map[string]int{"most": 100}, HTTPCode: 422}
		}
		return in.A + in.B, nil
	})
	return httptest.NewServer(tunnel.New(tasks, tunnel.Config{Tokens: []string{"secret"}}))
}

func ExampleTask() {
	server := adder()
	defer server.Close()

	c, err := client.New(server.URL+"/__runner", client.Config{Token: "secret"})
	if err != nil {
		log.Fatal(err)
	}
	sum, err := client.Task[int](context.Background(), c, "app.tasks.add", addInput{A: 5, B: 3})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sum)
	// Output: 8
}

func ExampleError() {
	server := adder()
	defer server.Close()
	c, err := client.New(server.URL+"/__runner", client.Config{Token: "secret"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Task[int](context.Background(), c, "app.tasks.add", addInput{A: 101}, client.WithRequestID("r-1"))

	fmt.Println(err)
	var remote *protocol.Error
	if errors.As(err, &remote) {
		fmt.Printf("%s %s %d\n", remote.ID, remote.Data, remote.HTTPCode)
	}
	// Output:
	// client: task app.tasks.add (request r-1): INTERNAL_ERROR app.errors.tooLarge: Too large
	// app.errors.tooLarge {"most":100} 422
}
