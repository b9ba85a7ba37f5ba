//go:build !unix

package http1

// rawReader is for Unix.
type rawReader struct{}

func (c *conn) newRawReader() *rawReader { return nil }

func (c *conn) receiveRaw() (n int, err error) { panic("http1: there is no rawReader") }
