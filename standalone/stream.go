package standalone

import (
	"context"
	"io"
	"sync"

	"github.com/bluelibs/go-tunnel/protocol"
)

var (
	errNoBody = &protocol.Error{
		Code:    protocol.CodeUnsupportedMediaType,
		Message: "The task takes a body of type application/octet-stream",
	}
	errOctets = &protocol.Error{
		Code:    protocol.CodeUnsupportedMediaType,
		Message: "The task takes a body of type application/json",
	}
)

// streamed returns the reply that streams source, or a reply without a value if source is nil.
func streamed(ctx context.Context, source io.Reader) *protocol.Reply {
	if source == nil {
		return &protocol.Reply{}
	}
	closer, ok := source.(io.Closer)
	if !ok {
		return &protocol.Reply{Stream: io.NopCloser(source)}
	}
	s := &stream{Reader: source, close: sync.OnceValue(closer.Close)}
	s.stop = context.AfterFunc(ctx, func() { _ = s.close() })
	return &protocol.Reply{Stream: s}
}

// stream closes its source once, when it was read or its context is done.
type stream struct {
	io.Reader
	close func() error
	stop  func() bool
}

func (s *stream) Close() error {
	s.stop()
	return s.close()
}
