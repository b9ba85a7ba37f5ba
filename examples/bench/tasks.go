package main

import (
	"context"
	"io"
	"time"
)

// The tasks of tasks.js in Go, for the contenders without Node.js.

type addInput struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
}

func add(_ context.Context, in addInput) (float64, error) { return in.A + in.B, nil }

type document struct {
	Items []item `json:"items"`
}

type item struct {
	ID     int      `json:"id"`
	Name   string   `json:"name"`
	Price  float64  `json:"price"`
	Tags   []string `json:"tags"`
	Active bool     `json:"active"`
}

func echo(_ context.Context, in document) (document, error) { return in, nil }

type waitInput struct {
	MS int `json:"ms"`
}

func wait(ctx context.Context, in waitInput) (int, error) {
	timer := time.NewTimer(time.Duration(in.MS) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return in.MS, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

type computeInput struct {
	Steps int `json:"steps"`
}

func compute(_ context.Context, in computeInput) (uint32, error) {
	x := uint32(1)
	for range in.Steps {
		x = x*1664525 + 1013904223
	}
	return x, nil
}

func upload(_ context.Context, body io.Reader) (int64, error) { return io.Copy(io.Discard, body) }
