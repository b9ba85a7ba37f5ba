package ratelimit_test

import (
	"context"
	"fmt"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/ratelimit"
)

// As Middleware it is tunnel.Check(limiter.Check).
func Example() {
	limiter := ratelimit.New(ratelimit.Config{
		PerKey: ratelimit.Limit{PerSecond: 0.001, Burst: 2}, // of each caller
		Key:    ratelimit.Identity,
	})
	for range 3 {
		err := limiter.Check(context.Background(), &protocol.Call{ID: "app.tasks.add", Identity: "ada"})
		fmt.Println(err == nil, err)
	}
	// Output:
	// true <nil>
	// true <nil>
	// false RATE_LIMITED: Too many requests
}
