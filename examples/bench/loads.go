package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A load is one request, sent again and again over a number of connections.
type load struct {
	name, title string
	connections int
	workers     int           // processes of a pool
	pause       time.Duration // the time over which the connections begin
	request     []byte        // the head and, unless there are zeros, the body
	zeros       int64         // the length of a body that is nothing but zeros
	answer      []byte        // the body of the right answer, every byte of it
}

const (
	computeSteps = 3_000_000
	waitTime     = 50 * time.Millisecond
	waiters      = 2000
	uploadSize   = 64 << 20
)

// loads are in the order in which a contender has them: memory is what the ones before
// have left, too, so that the largest come last.
func loads() ([]load, error) {
	sum := addInput{5, 3}
	var doc document
	for i := range 120 {
		doc.Items = append(doc.Items, item{i, fmt.Sprintf("item %d", i), float64(i) + 0.5, []string{"new", "sale"}, i%2 == 0})
	}
	steps := computeInput{computeSteps}
	computed, err := compute(context.Background(), steps)
	if err != nil {
		return nil, err
	}
	var all []load
	var failed error
	task := func(l load, id string, input, result any) {
		answer, err := json.Marshal(map[string]any{"ok": true, "result": result})
		if err == nil && l.zeros == 0 {
			l.request, err = json.Marshal(map[string]any{"input": input})
		}
		if err != nil {
			failed = err
		}
		contentType, length := "application/json", int64(len(l.request))
		if l.zeros > 0 {
			contentType, length = "application/octet-stream", l.zeros
		}
		head := fmt.Appendf(nil, "POST %s%s HTTP/1.1\r\nHost: bench\r\nx-runner-token: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
			taskPath, id, token, contentType, length)
		l.request, l.answer = append(head, l.request...), answer
		l.workers = max(l.workers, 1)
		all = append(all, l)
	}
	for _, connections := range []int{1, 64, 512} {
		task(load{name: fmt.Sprintf("small-%d", connections), title: fmt.Sprintf("Small JSON, connections: %d", connections), connections: connections}, "bench.add", sum, 8)
	}
	task(load{name: "wait", title: "A task that waits for 50 ms, connections: 2,000", connections: waiters, pause: waitTime},
		"bench.wait", waitInput{int(waitTime.Milliseconds())}, waitTime.Milliseconds())
	task(load{name: "cpu-1", title: "A CPU-bound task, workers: 1, connections: 8", connections: 8}, "bench.compute", steps, computed)
	task(load{name: "cpu-2", title: "A CPU-bound task, workers: 2, connections: 8", connections: 8, workers: 2}, "bench.compute", steps, computed)
	task(load{name: "json-10k", title: "10 KB of JSON each way, connections: 64", connections: 64}, "bench.echo", doc, doc)
	task(load{name: "upload", title: "An upload of 64 MiB, connections: 1", connections: 1, zeros: uploadSize}, "bench.upload", nil, uploadSize)
	return all, failed
}

// withoutToken is the request of a caller who must not get in.
func (l *load) withoutToken() []byte {
	return bytes.Replace(l.request, []byte("x-runner-token: "+token), []byte("x-runner-token: wrong!"), 1)
}
