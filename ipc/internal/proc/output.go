package proc

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/bluelibs/go-tunnel/ipc/internal/text"
)

const (
	// MaxLine is the largest part of a line of output that is logged, in bytes.
	MaxLine = 8 << 10
	// maxBacklog bounds the lines that wait for the logger, in bytes. The logger has as many again.
	maxBacklog = 128 << 10
	// maxTail is the size of the end of standard error that the log of a crash has.
	maxTail = 8 << 10
	// If the backlog is full, Add waits for the logger, but at most maxPatience at once and a part
	// of the time in the long run, because the process waits as well.
	maxPatience  = 100 * time.Millisecond
	patiencePart = 20
)

const outputMessage = "ipc: worker output"

// Output logs the output of a process. The readers of its pipes add lines, one goroutine logs them.
// If the log is slow, lines are dropped, so that the process need not wait.
type Output struct {
	log  *slog.Logger
	pid  int
	raw  io.Writer     // gets the lines instead of log, if not nil
	room chan struct{} // gets one when the backlog is empty again; has room for one

	mu       sync.Mutex
	wake     sync.Cond // there is something to log, or closed is set
	lines    []outputLine
	text     []byte // the text of lines
	dropped  int    // the number of lines dropped since the last one was added
	closed   bool
	tail     []byte // the end of standard error
	patience time.Duration
	counted  time.Time // when patience was set
}

type outputLine struct {
	stream  string
	end     int   // in text
	cut     int64 // the number of missing bytes
	dropped int   // the number of lines dropped before it
}

// NewOutput returns the output of the process with an id. It logs lines to log. If raw is not nil, it
// writes them unchanged to raw instead.
func NewOutput(log *slog.Logger, pid int, raw io.Writer) *Output {
	o := &Output{log: log, pid: pid, raw: raw, room: make(chan struct{}, 1), patience: maxPatience, counted: time.Now()}
	o.wake.L = &o.mu
	return o
}

// read adds the lines of a pipe to its end.
func (o *Output) read(stream string, pipe io.Reader) {
	lines := text.NewLineReader(pipe, MaxLine)
	for {
		line, cut, err := lines.Next()
		if err != nil {
			return
		}
		o.Add(stream, line, cut)
	}
}

// Add adds a line of a stream, "stdout" or "stderr". Cut is the number of its missing bytes.
func (o *Output) Add(stream string, line []byte, cut int64) {
	if len(line) > MaxLine {
		cut += int64(len(line) - MaxLine)
		line = line[:MaxLine]
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if stream == "stderr" {
		o.appendTail(line)
	}
	if o.full(line) {
		o.waitForRoom(line)
	}
	if o.full(line) {
		o.dropped++
		return
	}
	o.text = append(o.text, line...)
	o.lines = append(o.lines, outputLine{stream: stream, end: len(o.text), cut: cut, dropped: o.dropped})
	o.dropped = 0
	o.wake.Signal()
}

// full reports whether there is no room for a line. An empty line takes some room, too.
func (o *Output) full(line []byte) bool {
	const perLine = 40
	return len(o.text)+len(line)+perLine*(len(o.lines)+1) > maxBacklog
}

// waitForRoom waits for room for a line, at most as long as patience allows.
func (o *Output) waitForRoom(line []byte) {
	now := time.Now()
	o.patience = min(maxPatience, o.patience+now.Sub(o.counted)/patiencePart)
	o.counted = now
	if o.patience < time.Millisecond {
		return
	}
	timer := time.NewTimer(o.patience)
	defer timer.Stop()
	for expired := false; !expired && o.full(line); {
		o.mu.Unlock()
		select {
		case <-o.room:
		case <-timer.C:
			expired = true
		}
		o.mu.Lock()
	}
	o.counted = time.Now()
	o.patience -= o.counted.Sub(now)
}

// appendTail adds a line of standard error to the tail.
func (o *Output) appendTail(line []byte) {
	o.tail = append(append(o.tail, line...), '\n')
	if len(o.tail) > 2*maxTail {
		o.tail = o.tail[:copy(o.tail, o.tail[len(o.tail)-maxTail:])]
	}
}

// Tail returns the end of standard error.
func (o *Output) Tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(text.ValidUTF8(stripColours(o.tail[max(0, len(o.tail)-maxTail):])))
}

// Run logs the lines, until Close was called and all are logged.
func (o *Output) Run() {
	var lines []outputLine
	var content []byte
	for {
		o.mu.Lock()
		for len(o.lines) == 0 && !o.closed {
			o.wake.Wait()
		}
		lines, o.lines = o.lines, lines[:0]
		content, o.text = o.text, content[:0]
		dropped := 0
		if len(lines) == 0 {
			dropped, o.dropped = o.dropped, 0
		}
		o.mu.Unlock()
		if len(lines) == 0 {
			o.logDropped(dropped)
			return
		}
		select {
		case o.room <- struct{}{}:
		default:
		}
		start := 0
		for _, line := range lines {
			o.logDropped(line.dropped)
			o.print(line, content[start:line.end])
			start = line.end
		}
	}
}

// print logs a line. A record of a logging library has its own level and attributes; any other line
// gets the level of its stream.
func (o *Output) print(line outputLine, content []byte) {
	if o.raw != nil {
		_, _ = o.raw.Write(append(slices.Clip(content), '\n'))
		return
	}
	attrs := []any{"stream", line.stream}
	if line.cut > 0 {
		attrs = append(attrs, "cutBytes", line.cut)
	} else if r, ok := parseRecord(content, o.pid); ok {
		if r.message == "" {
			r.message = outputMessage
		}
		o.log.Log(context.Background(), r.level, r.message, append(attrs, r.attrs...)...)
		return
	}
	level := slog.LevelInfo
	if line.stream == "stderr" {
		level = slog.LevelWarn
	}
	o.log.Log(context.Background(), level, outputMessage, append(attrs, "line", string(text.ValidUTF8(stripColours(content))))...)
}

func (o *Output) logDropped(n int) {
	if n > 0 {
		o.log.Warn("ipc: worker output dropped: the log is too slow", "lines", n)
	}
}

// Close ends Run. Nothing may be added afterwards.
func (o *Output) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.wake.Signal()
}
