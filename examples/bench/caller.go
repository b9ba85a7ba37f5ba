package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// A caller sends requests over one connection, and does as little as possible beside.
type caller struct {
	conn net.Conn
	in   *bufio.Reader
	load *load
}

// zeros are what uploads are made of.
var zeros = make([]byte, 256<<10)

const callTimeout = 60 * time.Second

func dial(ctx context.Context, addr string, l *load) (*caller, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &caller{conn, bufio.NewReaderSize(conn, max(4096, len(l.answer))), l}, nil
}

// limit bounds all calls from now on together.
func (c *caller) limit(d time.Duration) error { return c.conn.SetDeadline(time.Now().Add(d)) }

func (c *caller) call() error {
	if _, err := c.conn.Write(c.load.request); err != nil {
		return err
	}
	for left := c.load.zeros; left > 0; {
		n, err := c.conn.Write(zeros[:min(left, int64(len(zeros)))])
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	status, length, err := readHead(c.in)
	if err != nil {
		return err
	}
	return readBody(c.in, status, length, c.load.answer)
}

// readHead reads an answer up to its body.
func readHead(in *bufio.Reader) (status, length int, err error) {
	length = -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			if status, err = parseStatus(line); err != nil {
				return 0, 0, err
			}
		case len(line) == 0:
			return status, length, nil
		case len(line) > len(lengthName) && bytes.EqualFold(line[:len(lengthName)], lengthName):
			length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(lengthName):])))
			if err != nil || length < 0 {
				return 0, 0, fmt.Errorf("an answer with %q", line)
			}
		}
	}
}

var lengthName = []byte("content-length:")

func parseStatus(line []byte) (int, error) {
	rest, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !ok || len(rest) < 3 {
		return 0, fmt.Errorf("an answer that begins with %q", line)
	}
	return strconv.Atoi(string(rest[:3]))
}

// readBody compares a body with the wanted one.
func readBody(in *bufio.Reader, status, length int, want []byte) error {
	if status != 200 || length != len(want) {
		begin, _ := in.Peek(min(max(length, 0), 200))
		return fmt.Errorf("an answer %d of %d bytes: %.200q", status, length, begin)
	}
	body, err := in.Peek(length)
	if err != nil {
		return err
	}
	if !bytes.Equal(body, want) {
		return fmt.Errorf("a wrong answer: %.200q", body)
	}
	_, err = in.Discard(length)
	return err
}

// checkToken fails if a server lets in a caller with a wrong token.
func checkToken(ctx context.Context, addr string, l *load) (err error) {
	c, err := dial(ctx, addr, l)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	if err := c.limit(callTimeout); err != nil {
		return err
	}
	if _, err := c.conn.Write(l.withoutToken()); err != nil {
		return err
	}
	status, _, err := readHead(c.in)
	if err == nil && status != 401 {
		err = fmt.Errorf("a caller with a wrong token got %d", status)
	}
	return err
}
