package ipc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

const (
	// maxFrame is how many bytes a data message has at most.
	maxFrame = 64 << 10
	// firstCredit is what a worker may send of a result before it was granted any.
	firstCredit = 16 << 10
	// streamCredit is how far a result may be ahead of its reader, in bytes.
	streamCredit = 256 << 10
	// maxLent bounds that for all results of a worker together. Further ones have to do
	// with firstCredit.
	maxLent = 16 << 20
)

// streamHead is what an answer says about a result that is a stream.
type streamHead struct {
	Status      int      `json:"status"`
	ContentType string   `json:"contentType"`
	Headers     []string `json:"headers"` // names and values in turn
	Flush       bool     `json:"flush"`
	body        *inflow
}

func (h *streamHead) reply() *protocol.Reply {
	header := make(http.Header)
	for i := 0; i+1 < len(h.Headers); i += 2 {
		header.Add(h.Headers[i], encodeLatin1(h.Headers[i+1]))
	}
	return &protocol.Reply{
		Stream: h.body, Status: h.Status, ContentType: encodeLatin1(h.ContentType), FlushHeader: h.Flush, StreamHeader: header,
	}
}

// encodeLatin1 writes a header's value as Node.js writes it, a byte a character.
func encodeLatin1(s string) string {
	encoded := make([]byte, 0, len(s))
	for _, r := range s {
		encoded = append(encoded, byte(min(r, 0xff))) // the worker refuses what does not fit
	}
	return string(encoded)
}

// inflow is a result that comes as a stream, an io.ReadCloser. The worker is never more
// than the window ahead of its reader.
type inflow struct {
	l       *link
	id      uint64
	x       *exchange
	unwatch func() bool // stops watching the caller's context

	rest  []byte // of the chunk that is being read
	chunk *[headRoom + maxFrame]byte

	// Under the link's lock.
	more   sync.Cond
	chunks []chunk
	err    error // what comes after the chunks; nil: not yet known
	window int
	credit int // what the worker may send
	read   int // what was taken from chunks and not yet granted again
}

type chunk struct {
	buf  *[headRoom + maxFrame]byte
	size int
}

// newInflow returns the result of a call whose answer says that it is a stream. The
// link's lock is held.
func newInflow(l *link, id uint64, x *exchange) *inflow {
	f := &inflow{l: l, id: id, x: x, window: firstCredit, credit: firstCredit}
	f.more.L = &l.mu
	if l.lent+streamCredit <= maxLent {
		f.window = streamCredit
		f.grant(streamCredit - firstCredit)
	}
	l.lent += f.window
	return f
}

func (f *inflow) grant(size int) {
	f.credit += size
	f.l.say(appendFramedWindow(f.l.out, f.id, size))
}

// watch gives the result up when ctx is done.
func (f *inflow) watch(ctx context.Context) {
	f.unwatch = context.AfterFunc(ctx, func() { f.cancel(ctx.Err()) })
}

// Read waits for bytes. Once the caller's context is done, or the worker dead, it fails.
func (f *inflow) Read(p []byte) (n int, err error) {
	if len(f.rest) == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n = copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// next makes the next chunk the one that is being read.
func (f *inflow) next() error {
	l := f.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.chunk != nil {
		l.buffers.Put(f.chunk)
		f.chunk = nil
	}
	for len(f.chunks) == 0 {
		if f.err != nil {
			return f.err
		}
		f.more.Wait()
	}
	next := f.chunks[0]
	f.chunks = append(f.chunks[:0], f.chunks[1:]...)
	f.chunk, f.rest = next.buf, next.buf[:next.size]
	if f.read += next.size; f.read >= f.window/2 && f.err == nil {
		f.grant(f.read)
		f.read = 0
	}
	return nil
}

// cancel drops what has not been read and tells the worker that no more is wanted.
func (f *inflow) cancel(err error) {
	l := f.l
	l.mu.Lock()
	leaves := l.pending[f.id] == f.x && !f.x.left
	var due time.Time
	if leaves {
		due = time.Now().Add(l.grace)
		f.x.left, f.x.due = true, due
		l.say(appendFramedCancel(l.out, f.id))
	}
	f.chunks = nil
	if f.err == nil || f.err == io.EOF {
		f.err = err
	}
	f.more.Broadcast()
	l.mu.Unlock()
	if leaves {
		l.leave(due)
	}
}

// end says what comes after the last chunk. The link's lock is held.
func (f *inflow) end(err error) {
	f.l.lent -= f.window
	if f.err == nil {
		f.err = err
		f.more.Broadcast()
	}
}

// Close drops what has not been read, and returns when nothing reads the request any
// more.
func (f *inflow) Close() error {
	f.unwatch()
	f.rest = nil
	f.cancel(os.ErrClosed)
	f.x.upload.end(true)
	return nil
}

// takeData reads the bytes that a data message has announced.
func (l *link) takeData(message *control, in io.Reader) error {
	if message.N < 0 || message.N > maxFrame {
		return fmt.Errorf("it announced %d bytes of data", message.N)
	}
	buf := l.buffer()
	if _, err := io.ReadFull(in, buf[:message.N]); err != nil {
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.pending[message.ID]
	if x == nil || x.result == nil || message.N == 0 { // cancelled in the meantime
		l.buffers.Put(buf)
		return nil
	}
	f := x.result
	if f.credit -= message.N; f.credit < 0 {
		return errors.New("it sent more of a result than it may")
	}
	if f.err != nil {
		l.buffers.Put(buf)
		return nil
	}
	if last := len(f.chunks) - 1; last >= 0 && f.chunks[last].size+message.N <= maxFrame {
		// Buffers of their own for small messages would take far more than the window.
		f.chunks[last].size += copy(f.chunks[last].buf[f.chunks[last].size:], buf[:message.N])
		l.buffers.Put(buf)
		return nil
	}
	f.chunks = append(f.chunks, chunk{buf, message.N})
	f.more.Signal()
	return nil
}

// endResult ends the exchange of a result that is a stream.
func (l *link) endResult(message *control) {
	err := io.EOF
	if message.Error != "" {
		err = errors.New("ipc: the worker reports: " + message.Error)
	}
	l.mu.Lock()
	x := l.pending[message.ID]
	if x == nil || !x.away {
		l.mu.Unlock()
		return
	}
	delete(l.pending, message.ID)
	if x.cut && err == io.EOF {
		err = errDrainOver // its handler may have ended it in good order
	}
	if x.result != nil {
		x.result.end(err)
	}
	left := x.left
	l.mu.Unlock()
	l.release(x.size, left)
}

// buffer returns one for a data message.
func (l *link) buffer() *[headRoom + maxFrame]byte {
	if buf, ok := l.buffers.Get().(*[headRoom + maxFrame]byte); ok {
		return buf
	}
	return new([headRoom + maxFrame]byte)
}
