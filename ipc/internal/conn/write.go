package conn

import (
	"errors"
	"runtime"
	"syscall"

	"github.com/bluelibs/go-tunnel/ipc/internal/pipe"
)

// maxSpare is the largest message buffer that is used again.
const maxSpare = 1 << 20

// WriteLoop writes all waiting messages with one system call, and data messages one by one after
// them. At the end it closes the worker's input. It returns an error if the worker has closed its
// input before.
func (c *Conn) WriteLoop() error {
	var spare []byte
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.closeInput()
	for {
		for c.writing || len(c.out) == 0 && len(c.dataQueue) == 0 && !c.closed && !c.broken {
			c.wake.Wait() // an upload may be writing data
		}
		if c.broken { // an upload has noted it
			return errInputClosed
		}
		c.writing = true
		if len(c.dataQueue) == 0 {
			c.mu.Unlock()
			runtime.Gosched() // callers that are about to send add to the same batch
			c.mu.Lock()
		}
		batch := c.out
		if len(batch) > 0 {
			if err := c.writeBatch(batch, spare); err != nil {
				return err
			}
			if spare = batch; cap(spare) > maxSpare {
				spare = nil
			}
		}
		if len(c.dataQueue) > 0 {
			u := c.dataQueue[0]
			c.dataQueue = append(c.dataQueue[:0], c.dataQueue[1:]...)
			err := c.writeData(u.message)
			u.sent()
			if err != nil {
				return err
			}
		} else if len(batch) == 0 { // closed
			return nil
		}
		c.writing = false
	}
}

// writeBatch writes c.out while messages are queued in spare. The lock is held, except while it
// writes.
func (c *Conn) writeBatch(batch, spare []byte) error {
	c.out = spare[:0]
	c.mu.Unlock()
	n, err := c.Requests.Write(batch)
	c.mu.Lock()
	c.written += int64(n)
	c.noteError(err)
	return err
}

// writeData writes a data message. The lock is held, except while it writes.
func (c *Conn) writeData(message []byte) error {
	c.beforeData = c.written
	c.mu.Unlock()
	_, err := c.Requests.Write(message)
	c.mu.Lock()
	c.noteError(err)
	return err
}

// noteError remembers the error of a write, if there is one. The lock is held.
func (c *Conn) noteError(err error) {
	c.broken = c.broken || err != nil
	c.unreadable = c.unreadable || errors.Is(err, syscall.EPIPE)
}

// closeInput closes the worker's input. The lock is held.
func (c *Conn) closeInput() {
	c.closed = true
	c.writing = false
	if c.unreadable {
		c.unread = pipe.Unread(c.Requests)
	}
	_ = c.Requests.Close()
	for _, u := range c.dataQueue {
		u.sent()
	}
	c.dataQueue = nil
}
