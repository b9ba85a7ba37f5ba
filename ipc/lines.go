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
	long []byte   // a line that did not fit into in's buffer, or its end
	full [][]byte // what is before that, in pieces: to copy a growing line again and again would take longer
	size int      // of full
	open bool     // the line returned last had no line break
	skip int64    // bytes before the next line that nobody wants
}

// lineBuffer is what one system call reads at most.
const lineBuffer = 64 << 10

// maxKept is the largest line that shares its buffer with the next one: a longer one stays
// as it is.
const maxKept = 1 << 20

func newLineReader(r io.Reader, max int) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(r, lineBuffer), max: max}
}

// next returns the next line, without its line break and without the cut bytes that
// were over the limit. The line is valid until the next call. What stands after the
// last line break counts as a line, an open one. The error is the underlying reader's, io.EOF at
// the end, and comes without a line.
func (l *lineReader) next() (line []byte, cut int64, err error) {
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

func (l *lineReader) add(part []byte) {
	if len(l.long)+len(part) > maxKept {
		l.full = append(l.full, l.long)
		l.size += len(l.long)
		l.long = make([]byte, 0, maxKept)
	}
	l.long = append(l.long, part...)
}

// line returns the whole line.
func (l *lineReader) line() []byte {
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

// payload reads the bytes that an answer has announced, which are its value.
func (l *lineReader) payload(a answer, max int) (answer, error) {
	if a.n > max {
		l.skip = int64(a.n)
		a.err = tooLong(l.skip, max)
		return a, nil
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
