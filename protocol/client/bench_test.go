package client_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol/client"
)

// What a call costs besides the network.
func BenchmarkTask(b *testing.B) {
	type point struct{ X, Y, Z float64 }
	var tree any = "leaf"
	for range 6 {
		tree = map[string]any{"a": tree, "b": []any{1.0, tree}}
	}
	for name, in := range map[string]any{
		"small":  map[string]int{"a": 5, "b": 3},
		"points": make([]point, 10_000),
		"tree":   tree,
	} {
		b.Run(name, func(b *testing.B) {
			c, err := client.New("http://h", client.Config{Token: "secret", HTTPClient: &http.Client{Transport: fixed{200, "application/json", okAnswer}}})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.Task[int](b.Context(), c, "app.tasks.add", in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
