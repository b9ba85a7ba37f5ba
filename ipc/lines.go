package ipc

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// lineReader reads lines of any length in bounded memory: a line longer than max is
// cut, and how much of it went is counted.
type lineReader struct {
	in   *bufio.Reader
	max  int
	long []byte // a line that did not fit into in's buffer
	open bool   // the line returned last had no line break
}

// lineBuffer is what one system call reads at most.
const lineBuffer = 64 << 10

// maxKept is the largest buffer for long lines that is kept for the next one.
const maxKept = 1 << 20

func newLineReader(r io.Reader, max int) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(r, lineBuffer), max: max}
}

// next returns the next line, without its line break and without the cut bytes that
// were over the limit. The line is valid until the next call. What stands after the
// last line break counts as a line, an open one. The error is the underlying reader's, io.EOF at
// the end, and comes without a line.
func (l *lineReader) next() (line []byte, cut int64, err error) {
	if cap(l.long) > maxKept {
		l.long = nil
	}
	l.long = l.long[:0]
	for {
		part, err := l.in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull && len(part)+len(l.long) == 0 {
			return nil, 0, err
		}
		part, ended := bytes.CutSuffix(part, []byte("\n"))
		l.open = !ended
		if len(l.long) == 0 && len(part) <= l.max && err != bufio.ErrBufferFull {
			return part, 0, nil
		}
		room := min(l.max-len(l.long), len(part))
		l.long = append(l.long, part[:room]...)
		cut += int64(len(part) - room)
		if err != bufio.ErrBufferFull {
			return l.long, cut, nil
		}
	}
}

// payload reads the bytes that an answer has announced, which are its value.
func (l *lineReader) payload(a answer, max int) (answer, error) {
	if a.n > max {
		return a, fmt.Errorf("a result of %d bytes is longer than MaxMessage", a.n)
	}
	a.value = make([]byte, a.n)
	if _, err := io.ReadFull(l.in, a.value); err != nil {
		return a, err
	}
	a.value = validUTF8(a.value)
	if err := rawjson.Check(a.value, maxAnswerDepth); err != nil {
		a.value, a.err = nil, fmt.Errorf("ipc: the worker's answer cannot be read: %w", err)
	}
	return a, nil
}
