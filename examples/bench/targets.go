package main

import (
	"fmt"
	"math"
)

// A target is what the figures should be.
type target struct {
	number  int
	what    string
	value   float64 // NaN if it was not measured
	bound   float64
	atLeast bool // at most otherwise
}

func (t target) bounds() string {
	if t.atLeast {
		return "≥ " + number(t.bound)
	}
	return "≤ " + number(t.bound)
}

func (t target) verdict() string {
	switch {
	case math.IsNaN(t.value) || math.IsNaN(t.bound):
		return "not measured"
	case t.value == t.bound, t.atLeast == (t.value > t.bound):
		return "met"
	}
	return "**not met**"
}

func (r *results) targets(cs []contender) []target {
	all := []target{
		{1, "Runner application / its 5.5.0 exposure, requests per second", r.ratio("ipc-runner", "exposure", "small-64", rate), 6, true},
		{1, "the same, p99", r.ratio("ipc-runner", "exposure", "small-64", p99), 0.25, false},
		{1, "the same, CPU per request", r.ratio("ipc-runner", "exposure", "small-64", cpu), 0.25, false},
		{1, "the same, memory under load", r.ratio("ipc-runner", "exposure", "small-64", memory), 1, false},
		{2, "task module / bare node:http, requests per second", r.ratio("ipc-module", "node", "small-64", rate), 1.2, true},
		{2, "task module / bare net/http, requests per second", r.ratio("ipc-module", "bare", "small-64", rate), 0.65, true},
		{3, "tasks in Go / bare net/http, requests per second", r.ratio("standalone", "bare", "small-64", rate), 0.9, true},
		{3, "tasks in Go, allocations per request beyond bare net/http", r.median("standalone", "small-64", allocations) - r.median("bare", "small-64", allocations), 15, false},
	}
	ideal := float64(waiters) / waitTime.Seconds()
	limit := r.median("bare", "wait", rate)
	if limit > ideal {
		limit = ideal
	}
	for _, c := range cs {
		if !c.ours {
			continue
		}
		all = append(all,
			target{4, c.title + ": MiB of the Go process, idle", r.median(c.name, idle, serverMemory), 20, false},
			target{4, c.title + ": MiB of the Go process at 512 connections", r.median(c.name, "small-512", serverMemory), 40, false},
			target{5, fmt.Sprintf("%s: requests per second, of at most %.0f", c.title, ideal), r.median(c.name, "wait", rate), 0.95 * limit, true},
			target{5, c.title + ": failed requests", r.total(c.name, "wait", failures), 0, false},
		)
		if c.pool {
			all = append(all, target{6, c.title + ": CPU-bound, two workers / one", r.median(c.name, "cpu-2", rate) / r.median(c.name, "cpu-1", rate), 1.7, true})
		}
	}
	return all
}
