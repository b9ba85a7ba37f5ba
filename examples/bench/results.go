package main

import (
	"math"
	"slices"
)

// The figures of one contender under one load in one round, NaN for what is not known or
// does not apply.
type figures [numFigures]float64

const (
	rate         = iota // calls per second
	p50                 // ms
	p99                 // ms
	serverCPU           // microseconds per call, as the next two
	workerCPU           //
	cpu                 // both
	serverMemory        // MiB, as the next two; under load the most that was seen
	workerMemory        //
	memory              // both at once
	allocations         // per call, of the Go process
	systemCalls         // per call, reads and writes of all processes
	failures            // calls, those of the warm-up with them
	numFigures
)

func unknown() (f figures) {
	for i := range f {
		f[i] = math.NaN()
	}
	return f
}

// idle stands for a load where there is none.
const idle = "idle"

type results struct {
	rounds map[[2]string][]figures // by contender and load
	notes  []string                // what went wrong
}

func newResults() *results { return &results{rounds: map[[2]string][]figures{}} }

func (r *results) add(contender, load string, f figures) {
	key := [2]string{contender, load}
	r.rounds[key] = append(r.rounds[key], f)
}

// sorted are the known figures of all rounds.
func (r *results) sorted(contender, load string, figure int) []float64 {
	var known []float64
	for _, f := range r.rounds[[2]string{contender, load}] {
		if !math.IsNaN(f[figure]) {
			known = append(known, f[figure])
		}
	}
	slices.Sort(known)
	return known
}

// median is NaN if nothing is known.
func (r *results) median(contender, load string, figure int) float64 {
	known := r.sorted(contender, load, figure)
	n := len(known)
	if n == 0 {
		return math.NaN()
	}
	return (known[n/2] + known[(n-1)/2]) / 2
}

// spread is the distance between the best and the worst round, as a share of the median.
func (r *results) spread(contender, load string, figure int) float64 {
	known := r.sorted(contender, load, figure)
	if len(known) == 0 {
		return math.NaN()
	}
	return (known[len(known)-1] - known[0]) / r.median(contender, load, figure)
}

// ratio compares two contenders by their medians.
func (r *results) ratio(a, b, load string, figure int) float64 {
	return r.median(a, load, figure) / r.median(b, load, figure)
}

// total is the sum of all rounds, NaN if nothing is known.
func (r *results) total(contender, load string, figure int) float64 {
	known := r.sorted(contender, load, figure)
	if len(known) == 0 {
		return math.NaN()
	}
	var sum float64
	for _, v := range known {
		sum += v
	}
	return sum
}
