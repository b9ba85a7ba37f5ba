// Package text reads text from programs that are not trusted: lines of any length, bytes that are
// not UTF-8, strings in JSON.
package text

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/goccy/go-json"
)

// LineReader reads lines of any length in bounded memory: it cuts a line longer than max, and counts
// the missing bytes. It is also an io.Reader of the bytes after the last line.
type LineReader struct {
	in   *bufio.Reader
	max  int
	long []byte   // a line that did not fit into in's buffer, or its end
	full [][]byte // the pieces of the line before long: copying a growing line again and again would take longer
	size int      // of full
	open bool     // the line returned last had no line break
	skip int64    // bytes to drop before the next line
}

// lineBuffer is the largest number of bytes that one system call reads.
const lineBuffer = 64 << 10

// MaxShared is the size of the largest line that shares its buffer with the next one. A longer line
// remains valid.
const MaxShared = 1 << 20

// NewLineReader returns a reader of lines, each of which has at most max bytes.
func NewLineReader(r io.Reader, max int) *LineReader {
	return &LineReader{in: bufio.NewReaderSize(r, lineBuffer), max: max}
}

// Next returns the next line without its line break. If the line is longer than the limit, cut bytes
// of it are missing. The line is valid until the next call. Text after the last line break is a
// line, too, an unterminated one. The error is the underlying reader's, io.EOF at the end; there is
// no line then.
func (l *LineReader) Next() (line []byte, cut int64, err error) {
	l.long = l.long[:0]
	if l.skip > 0 {
		if _, err := io.CopyN(io.Discard, l.in, l.skip); err != nil {
			return nil, 0, err
		}
		l.skip = 0
	}
	for {
		part, err := l.in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull && l.size+len(part)+len(l.long) == 0 {
			return nil, 0, err
		}
		part, ended := bytes.CutSuffix(part, []byte("\n"))
		l.open = !ended
		if l.size+len(l.long) == 0 && len(part) <= l.max && err != bufio.ErrBufferFull {
			return part, 0, nil
		}
		room := min(l.max-l.size-len(l.long), len(part))
		l.add(part[:room])
		cut += int64(len(part) - room)
		if err != bufio.ErrBufferFull {
			return l.line(), cut, nil
		}
	}
}

func (l *LineReader) add(part []byte) {
	if len(l.long)+len(part) > MaxShared {
		l.full = append(l.full, l.long)
		l.size += len(l.long)
		l.long = make([]byte, 0, MaxShared)
	}
	l.long = append(l.long, part...)
}

// Unterminated reports whether the last line that Next returned had no line break.
func (l *LineReader) Unterminated() bool { return l.open }

// Read reads the bytes after the last line that Next returned.
func (l *LineReader) Read(p []byte) (int, error) { return l.in.Read(p) }

// Skip drops the n bytes after the last line that Next returned, when the next line is read.
func (l *LineReader) Skip(n int64) { l.skip = n }

// line returns the whole line.
func (l *LineReader) line() []byte {
	if len(l.full) == 0 {
		return l.long
	}
	line := make([]byte, 0, l.size+len(l.long))
	for _, piece := range l.full {
		line = append(line, piece...)
	}
	line = append(line, l.long...)
	l.full, l.size = nil, 0
	return line
}

// ValidUTF8 returns s with U+FFFD in place of bytes that are not UTF-8.
func ValidUTF8(s []byte) []byte {
	if utf8.Valid(s) {
		return s
	}
	return bytes.ToValidUTF8(s, []byte("\uFFFD"))
}

// Unquote returns the value of a valid JSON string, and "" for every other JSON value.
func Unquote(value []byte) string {
	var s string
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
