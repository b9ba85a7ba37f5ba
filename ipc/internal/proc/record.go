package proc

import (
	"bytes"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/bluelibs/go-tunnel/ipc/internal/text"
	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

const (
	// maxAttrs bounds the attributes of a record, with the attributes in groups.
	maxAttrs = 64
	// maxKey is the largest part of an attribute's name that is logged, in bytes.
	maxKey = 64
	// maxGroups bounds the depth of groups. A deeper value is logged as JSON.
	maxGroups = 3
	// maxRecordDepth bounds the depth of a record. A deeper line of JSON is a line of text.
	maxRecordDepth = 64
)

// outputRecord is a line that a logging library has written as JSON: pino, winston, bunyan, or
// Runner with the printStrategy "json".
type outputRecord struct {
	level   slog.Level
	message string
	attrs   []any // of type slog.Attr
}

// parseRecord parses a line. It reports false if the line is no JSON object with a level. It adds the
// prefix "app." to reserved names of attributes, and drops the process's own pid.
func parseRecord(line []byte, pid int) (r outputRecord, ok bool) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] != '{' {
		return r, false
	}
	left := maxAttrs
	err := rawjson.Members(line, maxRecordDepth, func(name, value []byte) {
		key := string(name)
		switch level, isLevel := parseLevel(value); {
		case key == "level" && isLevel && !ok:
			r.level, ok = level, true
			return
		case (key == "message" || key == "msg") && value[0] == '"' && r.message == "":
			r.message = oneLine(textOf(value))
			return
		case key == "pid" && string(value) == strconv.Itoa(pid):
			return
		}
		if reserved[key] {
			key = "app." + key
		}
		r.attrs = appendAttr(r.attrs, &left, key, value, 0)
	})
	if left < 0 {
		r.attrs = append(r.attrs, slog.Int("attributesDropped", -left))
	}
	return r, ok && err == nil
}

// reserved are the names of attributes that mean something else in the pool's log.
var reserved = map[string]bool{
	slog.TimeKey: true, slog.LevelKey: true, slog.MessageKey: true, slog.SourceKey: true, "message": true,
	"worker": true, "pid": true, "stream": true, "line": true, "lines": true, "cutBytes": true, "attributesDropped": true,
}

// appendAttr appends a member of an object. Left is the number of attributes that may still follow.
func appendAttr(attrs []any, left *int, key string, value []byte, depth int) []any {
	if *left--; *left < 0 {
		return attrs
	}
	key = oneLine(key)
	key = string(text.ValidUTF8([]byte(key[:min(len(key), maxKey)])))
	switch value[0] {
	case '"':
		return append(attrs, slog.String(key, textOf(value)))
	case 't', 'f':
		return append(attrs, slog.Bool(key, value[0] == 't'))
	case 'n':
		return append(attrs, slog.Any(key, nil))
	case '[':
		return append(attrs, slog.String(key, string(text.ValidUTF8(value))))
	case '{':
		if depth == maxGroups {
			return append(attrs, slog.String(key, string(text.ValidUTF8(value))))
		}
		var members []any
		_ = rawjson.Members(value, maxRecordDepth, func(name, value []byte) { // checked with the line
			members = appendAttr(members, left, string(name), value, depth+1)
		})
		return append(attrs, slog.Group(key, members...))
	}
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return append(attrs, slog.Int64(key, n))
	}
	if n, err := strconv.ParseFloat(string(value), 64); err == nil {
		return append(attrs, slog.Float64(key, n))
	}
	return append(attrs, slog.String(key, string(value))) // a number that is too large
}

// levelNames has the levels of logging libraries by name.
var levelNames = map[string]slog.Level{
	"silly": slog.LevelDebug - 4, "trace": slog.LevelDebug - 4, "verbose": slog.LevelDebug, "debug": slog.LevelDebug,
	"http": slog.LevelInfo, "info": slog.LevelInfo, "log": slog.LevelInfo, "notice": slog.LevelInfo + 2,
	"warn": slog.LevelWarn, "warning": slog.LevelWarn, "err": slog.LevelError, "error": slog.LevelError,
	"crit": slog.LevelError + 4, "critical": slog.LevelError + 4, "fatal": slog.LevelError + 4,
	"alert": slog.LevelError + 4, "emerg": slog.LevelError + 4, "emergency": slog.LevelError + 4,
}

// parseLevel reads the name of a level, or its number in pino and bunyan: 10 is trace, 60 fatal.
func parseLevel(value []byte) (slog.Level, bool) {
	if value[0] == '"' {
		level, ok := levelNames[strings.ToLower(textOf(value))]
		return level, ok
	}
	n, err := strconv.ParseUint(string(value), 10, 16)
	if err != nil || n < 1 || n > 100 {
		return 0, false
	}
	// Their levels have steps of ten, those of slog steps of four; 30 is Info.
	return slog.Level((int(n) - 30) * 4 / 10), true
}

// textOf returns the value of a valid JSON string without colours.
func textOf(value []byte) string {
	return string(text.ValidUTF8(stripColours([]byte(text.Unquote(value)))))
}

// oneLine replaces control characters by spaces, so that a log that prints a message unchanged does
// not show several.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

// escapeSequence matches commands for a terminal, usually colours.
var escapeSequence = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])")

func stripColours(line []byte) []byte {
	if bytes.IndexByte(line, 0x1b) < 0 {
		return line
	}
	return escapeSequence.ReplaceAll(line, nil)
}
