package ipc

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/bluelibs/go-tunnel/protocol"
)

// upload is what a call's request has beside its message: streams that the worker may
// read.
type upload struct {
	l     *link
	id    uint64
	ctx   context.Context // of the call
	call  *protocol.Call
	flows []*outflow // by their numbers
	over  bool       // nothing is to be sent any more; under the link's lock
	reads sync.WaitGroup
}

// outflow is one stream of a request. Nothing is read of it before the worker grants
// credit, and no more than that.
type outflow struct {
	u *upload
	s int

	source io.ReadCloser // from open on

	// Under the link's lock.
	moved   sync.Cond // credit has grown, ready was written, or no more is wanted
	credit  int
	opened  bool
	stopped bool   // the worker wants no more
	ready   []byte // a data message on its way
}

// newUpload returns the streams of a call's request, nil if there are none. The link's
// lock is held.
func newUpload(ctx context.Context, l *link, id uint64, call *protocol.Call) *upload {
	if call == nil || call.Body == nil && call.Form == nil {
		return nil
	}
	u := &upload{l: l, id: id, ctx: ctx, call: call}
	streams := 1 // the body, or for forms a place that is never used
	if call.Form != nil {
		streams += len(call.Form.FileIDs())
	}
	for s := range streams {
		f := &outflow{u: u, s: s}
		f.moved.L = &l.mu
		u.flows = append(u.flows, f)
	}
	return u
}

// flow returns the stream that a message is about, nil if its call is over. The link's
// lock is held.
func (l *link) flow(message *control) (*outflow, error) {
	x := l.pending[message.ID]
	if x == nil || x.upload == nil || x.upload.over {
		return nil, nil
	}
	first := 0
	if x.upload.call.Form != nil {
		first = 1
	}
	if message.S < first || message.S >= len(x.upload.flows) {
		return nil, fmt.Errorf("it wants stream %d of a call that does not have it", message.S)
	}
	return x.upload.flows[message.S], nil
}

// maxCredit bounds what a worker may want at once.
const maxCredit = 1 << 30

// grantFlow takes the worker's credit for a stream, the first of which opens it.
func (l *link) grantFlow(message *control) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.flow(message)
	if f == nil {
		return err
	}
	if message.Size <= 0 || message.Size > maxCredit-f.credit {
		return fmt.Errorf("it grants a credit of %d bytes", message.Size)
	}
	f.credit += message.Size
	f.moved.Broadcast()
	if !f.opened {
		f.opened = true
		f.u.reads.Add(1)
		go f.pump()
	}
	return nil
}

// stopFlow ends a stream that the worker wants no more of.
func (l *link) stopFlow(message *control) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.flow(message)
	if f != nil {
		f.stopped = true
		f.moved.Broadcast()
	}
	return err
}

// end returns when nothing reads the request any more. What waits for a body is
// interrupted, and what waits for a part of a form too if that is to be given up. It does
// not wait for a worker that takes no message: a pump that has one for it ends with the
// link's writer at the latest.
func (u *upload) end(giveUp bool) {
	if u == nil {
		return
	}
	reading := false
	u.l.mu.Lock()
	u.over = true
	for _, f := range u.flows {
		reading = reading || f.opened
		f.moved.Broadcast()
	}
	u.l.mu.Unlock()
	if !reading {
		return
	}
	if u.call.Body != nil {
		_ = u.call.Body.Close()
	} else if giveUp {
		_ = u.call.Form.Close()
	}
	u.reads.Wait()
	for _, f := range u.flows {
		if f.source != nil {
			_ = f.source.Close()
		}
	}
}

// read begins a use of the request, which ends with u.reads.Done, unless that is over.
// The link's lock is held.
func (u *upload) read() bool {
	if !u.over {
		u.reads.Add(1)
	}
	return !u.over
}

// headRoom is where the line of a data message goes, in front of its bytes.
const headRoom = 96

// pump sends the stream to its end. It reads ahead while the last message is written.
func (f *outflow) pump() {
	err := f.open()
	f.u.reads.Done()
	if err != nil {
		f.end(err)
		return
	}
	defer f.close()
	l := f.u.l
	next, spare := l.buffer(), l.buffer()
	defer func() {
		l.buffers.Put(next)
		l.buffers.Put(spare)
	}()
	for err == nil {
		room := f.await()
		if room == 0 {
			break
		}
		var n int
		n, err = f.source.Read(next[headRoom : headRoom+min(room, maxFrame)])
		f.u.reads.Done()
		if n > 0 {
			line := appendFramedData(make([]byte, 0, headRoom), f.u.id, f.s, n)
			start := headRoom - len(line)
			copy(next[start:], line)
			f.send(next[start:headRoom+n], n)
			next, spare = spare, next
		}
	}
	f.end(err)
}

// open waits for the stream's source. What is known of a file goes ahead of it.
func (f *outflow) open() error {
	u := f.u
	if u.call.Body != nil {
		f.source = io.NopCloser(u.call.Body)
		return nil
	}
	part, err := u.call.Form.Open(u.call.Form.FileIDs()[f.s-1])
	if err != nil {
		return err
	}
	f.source = part
	u.l.mu.Lock()
	defer u.l.mu.Unlock()
	if !u.over {
		u.l.say(appendFramedFile(u.l.out, u.id, f.s, part.Name, part.Type))
	}
	return nil
}

// close drops the rest of the stream, if the end of the request has not.
func (f *outflow) close() {
	f.u.l.mu.Lock()
	reads := f.u.read()
	f.u.l.mu.Unlock()
	if reads {
		_ = f.source.Close()
		f.u.reads.Done()
	}
}

// await waits for credit and returns how much there is, with which a read begins, 0 if
// no more is wanted.
func (f *outflow) await() int {
	f.u.l.mu.Lock()
	defer f.u.l.mu.Unlock()
	for f.credit == 0 && f.wanted() {
		f.moved.Wait()
	}
	if !f.wanted() || !f.u.read() {
		return 0
	}
	return f.credit
}

func (f *outflow) wanted() bool { return !f.u.over && !f.stopped && !f.u.l.closed }

// send sends a data message with n bytes: at once if the link has nothing else to
// write, since to wake the writer would take longer, and by the writer otherwise, once
// the message before has been written.
func (f *outflow) send(message []byte, n int) {
	l := f.u.l
	l.mu.Lock()
	defer l.mu.Unlock()
	f.flush()
	if !f.wanted() {
		return
	}
	f.credit -= n
	if l.writing || len(l.out) > 0 || len(l.frames) > 0 {
		f.ready = message
		l.frames = append(l.frames, f)
		l.wake.Signal()
		return
	}
	l.writing = true
	_ = l.writeData(message) // an error is for the writer
	l.writing = false
	if len(l.out) > 0 || len(l.frames) > 0 || l.closed || l.broken {
		l.wake.Signal()
	}
}

// flush waits until no data message is on its way. The link's lock is held.
func (f *outflow) flush() {
	for f.ready != nil {
		f.moved.Wait()
	}
}

// written notes that the writer is done with a data message. The link's lock is held.
func (f *outflow) written() {
	f.ready = nil
	f.moved.Broadcast()
}

// end tells the worker that the stream is at its end, or how it broke off, after all
// that was sent of it. With the caller gone it says nothing: the cancel that is on its
// way has to come first, so that the task's signal is aborted when the stream breaks off.
func (f *outflow) end(err error) {
	reason := ""
	if err != nil && err != io.EOF {
		reason = err.Error()
	}
	l := f.u.l
	l.mu.Lock()
	defer l.mu.Unlock()
	f.flush()
	if f.wanted() && (reason == "" || f.u.ctx.Err() == nil) {
		l.say(appendFramedEnd(l.out, f.u.id, f.s, reason))
	}
}
