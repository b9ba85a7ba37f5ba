package proc

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/ipc/internal/text"
)

// What programs write at the end of their standard error about why they have ended.
var (
	// An error as it is printed: "SyntaxError: …", "Error [ERR_X]: …", "Uncaught …", and by Bun and
	// Deno "error: …".
	errorLine = regexp.MustCompile(`^(?:Uncaught )?(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception)\b.*|^[Ee]rror\b.*`)
	// Where Node.js says that a module cannot be read, in a line of its own before it.
	placeLine = regexp.MustCompile(`^(?:file://)?(?:/|[A-Za-z]:[\\/]).*:\d+$`)
	// Where Node.js says that the runtime itself cannot be read.
	runtimeLine = regexp.MustCompile(`^\[stdin\]:\d+$`)
	// A frame of a stack, with a file, and maybe the error's properties after the last one.
	frameLine = regexp.MustCompile(`^\s+at (?:.*\()?((?:file://)?(?:/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?(?: \{.*)?$`)
)

// runtimeMark begins what the runtime of a worker in JavaScript says about itself.
const runtimeMark = "go-tunnel worker: "

// maxReason is how much of a reason becomes part of an error, in bytes.
const maxReason = 1000

// ExitReason returns what the end of standard error says about the end of the process, with the
// file and the line where it does, on one line. Empty means that it says nothing.
func ExitReason(stderr string) string {
	lines := strings.Split(strings.TrimRight(stderr, "\n"), "\n")
	if at := lastMark(lines); at >= 0 {
		_, head, _ := strings.Cut(lines[at], runtimeMark)
		return cutReason(head + detail(head, lines[at+1:]))
	}
	for at := len(lines) - 1; at >= 0; at-- {
		if errorLine.MatchString(lines[at]) {
			return cutReason(tooOld(lines[:at]) + located(lines, at))
		}
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "node: ") { // a flag that it does not know
			return cutReason(line)
		}
	}
	return cutReason(strings.TrimSpace(lines[len(lines)-1]))
}

// tooOld returns a prefix of the error if Node.js is too old to parse the runtime.
func tooOld(before []string) string {
	if slices.ContainsFunc(before, runtimeLine.MatchString) {
		return "this version of Node.js is too old, a worker needs 20 or later: "
	}
	return ""
}

func lastMark(lines []string) int {
	for at := len(lines) - 1; at >= 0; at-- {
		if strings.Contains(lines[at], runtimeMark) {
			return at
		}
	}
	return -1
}

// detail returns what follows a head that ends with a colon: an error with its place and its cause,
// or whatever was thrown instead of one.
func detail(head string, lines []string) string {
	if !strings.HasSuffix(head, ":") {
		return ""
	}
	for at, line := range lines {
		if !errorLine.MatchString(line) {
			continue
		}
		found := " " + located(lines, at)
		for _, line := range lines[at:] {
			if strings.HasPrefix(line, "[cause]: ") {
				found += " " + line
			}
		}
		return found
	}
	return " " + strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
}

// located returns the error in a line with its place: a place line before it, or the first frame
// after it.
func located(lines []string, at int) string {
	for before := at - 1; before >= 0 && before >= at-8; before-- {
		if placeLine.MatchString(lines[before]) {
			return lines[at] + " (" + lines[before] + ")"
		}
	}
	return withPlace(lines[at], lines, at+1)
}

// withPlace adds the place of the first frame of the stack that begins at or after a line: the
// first in the application's own files, if one is there.
func withPlace(reason string, lines []string, from int) string {
	first := ""
	for _, line := range lines[from:] {
		frame := frameLine.FindStringSubmatch(line)
		if frame == nil {
			if first != "" && !strings.HasPrefix(strings.TrimSpace(line), "at ") {
				break // of the stack
			}
			continue
		}
		if !strings.Contains(frame[1], "/node_modules/") {
			return reason + " (" + frame[1] + ")"
		}
		if first == "" {
			first = frame[1]
		}
	}
	if first != "" {
		reason += " (" + first + ")"
	}
	return reason
}

func cutReason(reason string) string {
	return string(text.ValidUTF8([]byte(reason[:min(len(reason), maxReason)])))
}
