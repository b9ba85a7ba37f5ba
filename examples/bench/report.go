package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// report is the results as Markdown.
func (b *bench) report(r *results, m machine) string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }

	line("# Benchmark\n")
	line("Written by `go run ./examples/bench` on %s: do not edit.\n", m.date.Format(time.DateOnly))
	for _, fact := range m.facts() {
		line("- %s", fact)
	}
	line("- rounds: %d. In each, every contender is started anew and has one load after the other for %v, after %v that do not count. Figures are medians of the rounds; ± is half the distance between the best and the worst one.\n", b.rounds, b.duration, b.duration/4)
	line("%s", method)

	for _, note := range r.notes {
		line("**Something went wrong.** %s\n", strings.ReplaceAll(note, "\n", " "))
	}

	line("\n## Targets\n")
	line("| | what | target | measured | |\n| --- | --- | --- | ---: | --- |")
	targets := r.targets(contenders())
	slices.SortStableFunc(targets, func(a, b target) int { return a.number - b.number })
	for _, t := range targets {
		line("| %d | %s | %s | %s | %s |", t.number, t.what, t.bounds(), number(t.value), t.verdict())
	}

	for _, l := range b.loads {
		b.table(line, r, &l)
	}
	line("\n## Idle\n\nMiB resident, before the first request.\n")
	line("| | server | workers | together |\n| --- | ---: | ---: | ---: |")
	for _, c := range b.contenders {
		line("| %s | %s |", c.title, strings.Join(r.columns(c.name, idle, serverMemory, workerMemory, memory), " | "))
	}
	return out.String()
}

const method = `Every contender is a process of its own on the loopback interface of one machine, as is the load generator, which
takes its share of the processors. It sends the same request over connections that stay open, one at a time on each,
and compares every byte of every answer. All contenders check a token, and run the same tasks on the same messages.

CPU is microseconds per request in user mode and in the kernel, of the server and of its worker processes. Memory is
MiB resident, the most that was seen under that load, which comes after the ones above it. Allocations are those of the
Go process per request. Calls are the system calls per request that read or write (syscr and syscw of /proc/PID/io), of all
processes of the contender; those that wait are not among them. Failed counts all rounds, the warm-up included.`

func (b *bench) table(line func(string, ...any), r *results, l *load) {
	unit, scale := "requests/s", 1.0
	if l.zeros > 0 {
		unit, scale = "MiB/s", float64(l.zeros)/(1<<20)
	}
	line("\n## %s\n", l.title)
	line("| | %s | ± | × 5.5.0 | p50 ms | p99 ms | CPU server | CPU workers | MiB server | MiB workers | allocations | calls | failed |", unit)
	line("| --- |%s", strings.Repeat(" ---: |", 12))
	for _, c := range b.contenders {
		if !c.runs(l) {
			continue
		}
		line("| %s | %s | %s | %s | %s | %s |", c.title,
			number(scale*r.median(c.name, l.name, rate)), percent(r.spread(c.name, l.name, rate)/2), number(r.ratio(c.name, "exposure", l.name, rate)),
			strings.Join(r.columns(c.name, l.name, p50, p99, serverCPU, workerCPU, serverMemory, workerMemory, allocations, systemCalls), " | "),
			number(r.total(c.name, l.name, failures)))
	}
}

// columns are medians as text.
func (r *results) columns(contender, load string, figures ...int) (texts []string) {
	for _, figure := range figures {
		texts = append(texts, number(r.median(contender, load, figure)))
	}
	return texts
}

// number shows three digits or more, and a dash for what is not known.
func number(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case v == math.Trunc(v) || size >= 100:
		return fmt.Sprintf("%.0f", v)
	case size >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func percent(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}
