// Command client calls a Runner application from Go. It does not matter who serves
// it, go-tunnel or Runner's own exposure:
//
//	npm ci --prefix examples/runner
//	go run ./examples/runner &
//	go run ./examples/client
//
//	node examples/runner/expose.js &
//	go run ./examples/client -url http://127.0.0.1:7071/__runner
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/client"
)

type order struct {
	Item  string `json:"item"`
	Count int    `json:"count"`
}

func main() {
	url := flag.String("url", "http://127.0.0.1:7070/__runner", "base `URL` of the server")
	token := flag.String("token", "secret", "the server's `token`")
	flag.Parse()
	if err := run(*url, *token); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(url, token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.New(url, client.Config{Token: token})
	if err != nil {
		return err
	}

	list, err := c.Discover(ctx)
	if err != nil {
		return err
	}
	fmt.Println("tasks:", list.IDs(protocol.KindTask))

	sum, err := client.Task[int](ctx, c, "app.tasks.add", map[string]int{"a": 5, "b": 3})
	if err != nil {
		return err
	}
	fmt.Println("5 + 3 =", sum)

	if err := client.Event(ctx, c, "app.events.ordered", order{"tea", 1}); err != nil {
		return err
	}

	// The application's typed error, with its data.
	_, err = client.Task[order](ctx, c, "app.tasks.order", order{"tea", 9})
	var remote *protocol.Error
	if !errors.As(err, &remote) || remote.ID != "app.errors.outOfStock" {
		return fmt.Errorf("ordered too much: %w", err)
	}
	var stock struct{ Left int }
	if err := json.Unmarshal(remote.Data.(json.RawMessage), &stock); err != nil {
		return err
	}
	fmt.Println("out of stock, left:", stock.Left)

	// An async context, and a task that may as well run twice.
	tenant := client.WithContext("app.tenant", "acme")
	who, err := client.Task[struct{ Tenant string }](ctx, c, "app.tasks.whoami", nil, tenant, client.WithRetry(client.Retry{}))
	if err != nil {
		return err
	}
	fmt.Println("tenant:", who.Tenant)
	return nil
}
