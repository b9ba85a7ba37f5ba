package conn

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/bluelibs/go-tunnel/ipc/internal/text"
	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
)

// ReadLoop reads the worker's messages to the end. The error is io.EOF, the error of the pipe, or
// says how the worker has violated the protocol.
func (c *Conn) ReadLoop() error {
	lines := text.NewLineReader(c.Answers, c.MaxAnswer)
	if c.Plain {
		return c.readPlain(lines)
	}
	return c.readFramed(lines)
}

// readPlain reads answers, between other lines that the worker prints.
func (c *Conn) readPlain(lines *text.LineReader) error {
	for {
		line, cut, err := lines.Next()
		if err != nil {
			return err
		}
		a, ok := wire.ParseAnswer(line)
		if !ok && !lines.Unterminated() { // a worker that ends may have written half a line
			a, ok = wire.BrokenAnswer(line, cut)
		}
		if !ok {
			c.Output(line, cut)
			continue
		}
		a.Stream = nil // this wire has no streams
		c.deliver(a)
	}
}

// readFramed reads messages. The first one must be a hello.
func (c *Conn) readFramed(lines *text.LineReader) error {
	greeted := false
	for {
		line, cut, err := lines.Next()
		if err != nil {
			return err
		}
		if lines.Unterminated() { // cut off by the worker's end
			continue
		}
		a, ok := wire.ParseAnswer(line)
		if !ok {
			a, ok = wire.BrokenAnswer(line, cut)
		}
		if ok && greeted {
			if a.N > 0 {
				if a, err = wire.ReadPayload(lines, a, c.MaxAnswer); err != nil {
					return err
				}
			}
			c.deliver(a)
			continue
		}
		m, err := wire.ParseMessage(line)
		if err != nil {
			return err
		}
		if !greeted && m.Type != "hello" {
			return fmt.Errorf("the first message is %q, not hello", m.Type)
		}
		greeted = true
		if err := c.receive(&m, line, lines); err != nil {
			return err
		}
	}
}

// receive handles a message that is no answer. It ignores unknown types, which later versions may
// have.
func (c *Conn) receive(m *wire.Message, line []byte, lines *text.LineReader) error {
	switch m.Type {
	case "hello":
		hello, err := wire.ParseHello(line)
		if err != nil {
			return err
		}
		if hello.Version != wire.Version {
			return fmt.Errorf("the worker has version %d of the wire, not %d", hello.Version, wire.Version)
		}
		c.Hello(hello)
	case "data":
		return c.receiveData(m, lines)
	case "end":
		c.receiveEnd(m)
	case "window":
		return c.receiveWindow(m)
	case "stop":
		return c.receiveStop(m)
	case "pong":
		c.Pong()
	case "draining":
		c.Draining()
	case "log":
		c.Log.Log(context.Background(), logLevel(m.Level), "ipc: worker message", "message", m.Text)
	}
	return nil
}

func logLevel(name string) (level slog.Level) {
	if level.UnmarshalText([]byte(strings.ToUpper(name))) != nil {
		return slog.LevelInfo
	}
	return level
}
