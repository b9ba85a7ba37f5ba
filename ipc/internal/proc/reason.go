package proc

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bluelibs/go-tunnel/ipc/internal/text"
)

// These recognise the reasons that programs print on standard error before they end.
var (
	// A printed error: "SyntaxError: …", "Error [ERR_X]: …", "Uncaught …", or "error: …" of Bun and
	// Deno.
	errorLine = regexp.MustCompile(`^(?:Uncaught )?(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception)\b.*|^[Ee]rror\b.*`)
	// The place of a module that Node.js cannot parse, on the line before the error.
	placeLine = regexp.MustCompile(`^(?:file://)?(?:/|[A-Za-z]:[\\/]).*:\d+$`)
	// The place in the runtime itself if Node.js cannot parse it.
	runtimeLine = regexp.MustCompile(`^\[stdin\]:\d+$`)
	// A frame of a stack with a file. The last frame may have the error's properties after it.
	frameLine = regexp.MustCompile(`^\s+at (?:.*\()?((?:file://)?(?:/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?(?: \{.*)?$`)
)

// runtimeMark begins the messages of the runtime of a worker in JavaScript.
const runtimeMark = "go-tunnel worker: "

// maxReason is the largest part of a reason that an error has, in bytes.
const maxReason = 1000

// ExitReason returns why the process has ended according to the end of standard error, on one line,
// with the file and the line of the error if they are there. Empty means that the reason is unknown.
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
		if strings.HasPrefix(line, "node: ") { // an unknown flag
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

// detail returns the text after a head that ends with a colon: an error with its place and its
// cause, or another thrown value.
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

// located returns the error in a line with its place, from a place line before it or a frame after
// it.
func located(lines []string, at int) string {
	for before := at - 1; before >= 0 && before >= at-8; before-- {
		if placeLine.MatchString(lines[before]) {
			return lines[at] + " (" + lines[before] + ")"
		}
	}
	return withPlace(lines[at], lines, at+1)
}

// withPlace adds the place of a frame of the next stack in lines: the first frame in the
// application's own files, or else the first frame.
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
