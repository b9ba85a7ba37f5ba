package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage is what processes have used since they were started.
type usage struct {
	cpu   time.Duration
	calls int64 // of read and write and their like; negative if that is not known
}

// usageOf adds up processes, by their ids.
func usageOf(pids []int) (sum usage, err error) {
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return sum, err
		}
		cpu, err := parseStat(string(stat))
		if err != nil {
			return sum, err
		}
		sum.cpu += cpu
		calls := int64(-1 << 40) // a kernel without that
		if io, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid)); err == nil {
			if calls, err = parseIO(string(io)); err != nil {
				return sum, err
			}
		}
		sum.calls += calls
	}
	return sum, nil
}

const tick = 10 * time.Millisecond // Linux shows all programs 100 in a second

// parseStat returns the CPU time, in user mode and in the kernel. The name of the program, in
// parentheses, may hold anything.
func parseStat(text string) (time.Duration, error) {
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("unexpected /proc/*/stat: %q", text)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, err
}

func parseIO(text string) (calls int64, err error) {
	for line := range strings.Lines(text) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if name == "syscr" || name == "syscw" {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return 0, err
			}
			calls += n
		}
	}
	return calls, nil
}

// memoryOf is the resident set of processes together, in MiB. Pages that they share are counted
// in each.
func memoryOf(pids []int) (mib float64, err error) {
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			return 0, err
		}
		pages, err := parseStatm(string(text))
		if err != nil {
			return 0, err
		}
		mib += float64(pages*int64(os.Getpagesize())) / (1 << 20)
	}
	return mib, nil
}

func parseStatm(text string) (pages int64, err error) {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return 0, fmt.Errorf("unexpected /proc/*/statm: %q", text)
	}
	return strconv.ParseInt(fields[1], 10, 64)
}
