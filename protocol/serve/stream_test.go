package serve

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// over is the Exchange of a request to w.
func over(w http.ResponseWriter) Exchange {
	return OverNetHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
}

// source is a stream that knows whether it was closed.
type source struct {
	io.Reader
	closed int
}

func (s *source) Close() error {
	s.closed++
	return nil
}

var errSource = errors.New("source failed")

func TestWriteStream(t *testing.T) {
	long := strings.Repeat("0123456789", 20_000) // more than one buffer
	for name, reader := range map[string]io.Reader{
		"whole":             strings.NewReader(long),
		"byte by byte":      iotest.OneByteReader(strings.NewReader(long)),
		"end with the data": iotest.DataErrReader(strings.NewReader(long)),
		"empty reads":       io.MultiReader(&emptyReads{n: 3}, strings.NewReader(long[:1000]), &emptyReads{n: 3}, strings.NewReader(long[1000:])),
	} {
		stream := &source{Reader: reader}
		w := httptest.NewRecorder()
		require.NoError(t, WriteStream(over(w), &protocol.Reply{Stream: stream}), name)
		assert.Equal(t, http.StatusOK, w.Code, name)
		assert.Equal(t, "application/octet-stream", w.Header().Get("Content-Type"), name)
		assert.True(t, long == w.Body.String(), name)
		assert.Equal(t, 1, stream.closed, name)
	}
}

// emptyReads returns no bytes and no error for a while.
type emptyReads struct{ n int }

func (e *emptyReads) Read([]byte) (int, error) {
	if e.n--; e.n < 0 {
		return 0, io.EOF
	}
	return 0, nil
}

func TestWriteEmptyStream(t *testing.T) {
	stream := &source{Reader: strings.NewReader("")}
	w := httptest.NewRecorder()
	require.NoError(t, WriteStream(over(w), &protocol.Reply{Stream: stream, Status: 201, ContentType: "text/csv"}))
	assert.Equal(t, 201, w.Code)
	assert.Equal(t, "text/csv", w.Header().Get("Content-Type"))
	assert.Empty(t, w.Body.String())
	assert.Equal(t, 1, stream.closed)
}

func TestWriteStreamFailsBeforeTheFirstByte(t *testing.T) {
	stream := &source{Reader: iotest.ErrReader(errSource)}
	w := httptest.NewRecorder()
	err := WriteStream(over(w), &protocol.Reply{Stream: stream})
	assert.ErrorIs(t, err, errSource)
	assert.NotErrorIs(t, err, ErrStreamCut)
	assert.Empty(t, w.Header(), "so that an envelope can still be sent")
	assert.False(t, w.Flushed)
	assert.Equal(t, 1, stream.closed)
}

// waiting says at its first Read whether the header has been sent.
type waiting struct {
	w       *httptest.ResponseRecorder
	flushed bool
	err     error
}

func (r *waiting) Read([]byte) (int, error) {
	r.flushed = r.flushed || r.w.Flushed
	return 0, r.err
}

func TestWriteStreamFlushesTheHeader(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		flush   bool
		err     error
		flushed bool
		want    int
	}{
		"asked to":                {status: 202, flush: true, err: io.EOF, flushed: true, want: 202},
		"not asked to":            {status: 202, err: io.EOF, want: 202},
		"cannot have a body":      {status: 204, flush: true, err: io.EOF, want: 204},
		"fails, cannot take back": {status: 202, flush: true, err: errSource, flushed: true, want: 202},
	} {
		w := httptest.NewRecorder()
		reader := &waiting{w: w, err: c.err}
		stream := &source{Reader: reader}
		err := WriteStream(over(w), &protocol.Reply{Stream: stream, Status: c.status, FlushHeader: c.flush})
		if c.err == io.EOF {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorIs(t, err, ErrStreamCut, name)
		}
		assert.Equal(t, c.flushed, reader.flushed, name)
		assert.Equal(t, c.want, w.Code, name)
		assert.Equal(t, 1, stream.closed, name)
	}
}

func TestWriteStreamFailsLater(t *testing.T) {
	for name, reader := range map[string]io.Reader{
		"after a read":  io.MultiReader(strings.NewReader("some"), iotest.ErrReader(errSource)),
		"with the data": &lastWords{},
	} {
		stream := &source{Reader: reader}
		w := httptest.NewRecorder()
		err := WriteStream(over(w), &protocol.Reply{Stream: stream})
		assert.ErrorIs(t, err, ErrStreamCut, name)
		assert.ErrorIs(t, err, errSource, name)
		assert.Equal(t, "some", w.Body.String(), name)
		assert.Equal(t, 1, stream.closed, name)
	}
}

// Callers who have got all that the header has promised may leave.
func TestWriteStreamFailsAfterItsLength(t *testing.T) {
	for length, cut := range map[string]bool{"4": false, "5": true, "": true} {
		stream := &source{Reader: io.MultiReader(strings.NewReader("some"), iotest.ErrReader(errSource))}
		reply := &protocol.Reply{Stream: stream, StreamHeader: http.Header{}}
		if length != "" {
			reply.StreamHeader.Set("Content-Length", length)
		}
		err := WriteStream(over(httptest.NewRecorder()), reply)
		assert.Equal(t, cut, errors.Is(err, ErrStreamCut), length)
		assert.Equal(t, cut, err != nil, length)
	}
}

// lastWords returns bytes and an error at once.
type lastWords struct{}

func (*lastWords) Read(p []byte) (int, error) { return copy(p, "some"), errSource }

// brokenPipe is a connection whose other end has gone.
type brokenPipe struct {
	*httptest.ResponseRecorder
	flush bool // fail at flushing only
}

func (b brokenPipe) Write(p []byte) (int, error) {
	if b.flush {
		return b.ResponseRecorder.Write(p)
	}
	return 0, io.ErrClosedPipe
}

func (b brokenPipe) FlushError() error { return io.ErrClosedPipe }

func TestWriteStreamToNobody(t *testing.T) {
	for _, flush := range []bool{false, true} {
		stream := &source{Reader: io.MultiReader(strings.NewReader("some"), strings.NewReader("more"))}
		err := WriteStream(over(brokenPipe{httptest.NewRecorder(), flush}), &protocol.Reply{Stream: stream})
		assert.ErrorIs(t, err, ErrStreamCut)
		assert.ErrorIs(t, err, io.ErrClosedPipe)
		assert.Equal(t, 1, stream.closed)
	}
}

// flushes records what had been written at every flush.
type flushes struct {
	*httptest.ResponseRecorder
	at []string
}

func (f *flushes) FlushError() error {
	f.at = append(f.at, f.Body.String())
	return nil
}

func TestWriteStreamFlushesWhatIsThere(t *testing.T) {
	w := &flushes{ResponseRecorder: httptest.NewRecorder()}
	parts := io.MultiReader(strings.NewReader("a"), strings.NewReader("b"), strings.NewReader("c"))
	require.NoError(t, WriteStream(over(w), &protocol.Reply{Stream: io.NopCloser(parts)}))
	require.GreaterOrEqual(t, len(w.at), 3)
	assert.Equal(t, []string{"a", "ab", "abc"}, w.at[:3])
}

// unflushable is a ResponseWriter with nothing but its three methods.
type unflushable struct{ http.ResponseWriter }

func TestWriteStreamWithoutFlushing(t *testing.T) {
	w := httptest.NewRecorder()
	require.NoError(t, WriteStream(over(unflushable{w}), &protocol.Reply{Stream: io.NopCloser(strings.NewReader("abc"))}))
	assert.Equal(t, "abc", w.Body.String())
}

func TestStreamStatus(t *testing.T) {
	for status, want := range map[int]struct{ empty, some int }{
		0: {200, 200}, 200: {200, 200}, 206: {206, 206}, 404: {404, 404}, 599: {599, 599}, 100: {500, 500}, 199: {500, 500},
		600: {500, 500}, -1: {500, 500}, 204: {204, 500}, 205: {205, 500}, 304: {304, 500},
	} {
		empty, some := httptest.NewRecorder(), httptest.NewRecorder()
		require.NoError(t, WriteStream(over(empty), &protocol.Reply{Stream: io.NopCloser(bytes.NewReader(nil)), Status: status}))
		assert.Equal(t, want.empty, empty.Code, status)
		assert.Equal(t, protocol.HasBody(want.empty), empty.Header().Get("Content-Type") != "", status)
		require.NoError(t, WriteStream(over(some), &protocol.Reply{Stream: io.NopCloser(strings.NewReader("a")), Status: status}))
		assert.Equal(t, want.some, some.Code, status)
	}
}

func TestStreamHeader(t *testing.T) {
	w := httptest.NewRecorder()
	own := http.Header{
		"Vary": {"Origin"}, protocol.HeaderRequestID: {"id"}, "Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Credentials": {"true"},
		"X-Content-Type-Options": {"nosniff"}, "X-Frame-Options": {"DENY"},
	}
	given := http.Header{"set-cookie": {"a=b"}, "connection": {"close"}, "transfer-encoding": {"x"}, "trailer": {"x"}, "upgrade": {"x"}, "keep-alive": {"x"}}
	for name, values := range own {
		w.Header()[name] = values
		given[strings.ToLower(name)] = []string{"spoilt"}
	}
	given["content-type"] = []string{"text/plain"}
	given["Content-Disposition"] = []string{"attachment"}
	given["x-two"] = []string{"a", "b"}

	require.NoError(t, WriteStream(over(w), &protocol.Reply{Stream: io.NopCloser(strings.NewReader("x")), ContentType: "text/csv", StreamHeader: given}))
	want := own.Clone()
	want["Vary"] = []string{"Origin", "spoilt"} // beside the protocol's
	want["Content-Type"] = []string{"text/plain"}
	want["Content-Disposition"] = []string{"attachment"}
	want["X-Two"] = []string{"a", "b"}
	assert.Equal(t, want, w.Result().Header)
}
