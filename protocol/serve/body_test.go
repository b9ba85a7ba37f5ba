package serve

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// newRequest is a request with a body of announced length, or of unknown length if
// that is negative.
func newRequest(body io.Reader, length int64, encoding ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.ContentLength = length
	r.Header["Content-Encoding"] = encoding
	return r
}

func readBody(buf []byte, r *http.Request, limit int64) ([]byte, error) {
	return ReadBody(buf, OverNetHTTP(httptest.NewRecorder(), r), r, limit)
}

func gzipped(t testing.TB, data string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func TestReadBody(t *testing.T) {
	zipped := gzipped(t, "0123456789")
	for _, c := range []struct {
		name, body string
		length     int64
		encoding   []string
		want       string
		code       protocol.Code
	}{
		{"empty", "", 0, nil, "", ""},
		{"empty of unknown length", "", -1, nil, "", ""},
		{"at the limit", "0123456789", 10, nil, "0123456789", ""},
		{"at the limit, unknown length", "0123456789", -1, nil, "0123456789", ""},
		{"over the limit", "0123456789a", 11, nil, "", protocol.CodePayloadTooLarge},
		{"over the limit, unknown length", "0123456789a", -1, nil, "", protocol.CodePayloadTooLarge},
		{"announced over the limit", "", 11, nil, "", protocol.CodePayloadTooLarge},
		{"identity", "abc", 3, []string{"Identity"}, "abc", ""},
		{"gzip", zipped, int64(len(zipped)), []string{"gzip"}, "0123456789", ""},
		{"x-gzip", zipped, -1, []string{"X-GZIP"}, "0123456789", ""},
		{"gzip over the limit", gzipped(t, "0123456789a"), -1, []string{"gzip"}, "", protocol.CodePayloadTooLarge},
		{"gzip without a byte", "", 0, []string{"gzip"}, "", ""},
		{"gzip of nothing", gzipped(t, ""), -1, []string{"gzip"}, "", ""},
		{"no gzip", "0123456789", 10, []string{"gzip"}, "", protocol.CodeInvalidJSON},
		{"part of a gzip header", "\x1f\x8b", 2, []string{"gzip"}, "", protocol.CodeInvalidJSON},
		{"gzip cut short", zipped[:len(zipped)-1], -1, []string{"gzip"}, "", protocol.CodeInvalidJSON},
		{"gzip and garbage", zipped + "x", -1, []string{"gzip"}, "", protocol.CodeInvalidJSON},
		{"br", "abc", 3, []string{"br"}, "", protocol.CodeUnsupportedMediaType},
		{"gzip twice", zipped, -1, []string{"gzip", "gzip"}, "", protocol.CodeUnsupportedMediaType},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, wrap := range map[string]func(io.Reader) io.Reader{
				"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "end with the data": iotest.DataErrReader,
			} {
				body, err := readBody(nil, newRequest(wrap(strings.NewReader(c.body)), c.length, c.encoding...), 10)
				if c.code != "" {
					var e *protocol.Error
					require.ErrorAs(t, err, &e, name)
					assert.Equal(t, c.code, e.Code, name)
					assert.Nil(t, body, name)
					continue
				}
				require.NoError(t, err, name)
				assert.Equal(t, c.want, string(body), name)
			}
		})
	}
}

// arrivalFailures are errors of a server's body and their codes, of which none is that of
// a body that is itself wrong.
var arrivalFailures = []struct {
	name  string
	major int // of HTTP, 0 for 1
	err   error
	want  protocol.Code
}{
	{"badly chunked", 0, errors.New("invalid byte in chunk length"), ""},
	{"cut short", 0, io.ErrUnexpectedEOF, protocol.CodeRequestAborted},
	{"read timeout", 0, fmt.Errorf("read: %w", os.ErrDeadlineExceeded), protocol.CodeRequestTimeout},
	{"read timeout of HTTP/2", 2, os.ErrDeadlineExceeded, protocol.CodeRequestTimeout},
	{"connection reset", 0, &net.OpError{Op: "read", Err: errors.New("reset")}, protocol.CodeRequestAborted},
	{"cancelled", 0, context.Canceled, protocol.CodeRequestAborted},
	{"stream of HTTP/2 reset", 2, errors.New("stream error: stream ID 1; CANCEL"), protocol.CodeRequestAborted},
	{"stream of HTTP/3 reset", 3, errors.New("stream 0 canceled by remote with error code 268"), protocol.CodeRequestAborted},
	{"limit of a handler around this one", 0, &http.MaxBytesError{Limit: 3}, protocol.CodePayloadTooLarge},
	{"the same over HTTP/2", 2, &http.MaxBytesError{Limit: 3}, protocol.CodePayloadTooLarge},
}

func TestReadBodyErrors(t *testing.T) {
	for _, c := range arrivalFailures {
		for _, encoding := range [][]string{nil, {"gzip"}} {
			r := newRequest(iotest.ErrReader(c.err), -1, encoding...)
			r.ProtoMajor = max(c.major, 1)
			_, err := readBody(nil, r, 10)
			var e *protocol.Error
			require.ErrorAs(t, err, &e, c.name)
			assert.Equal(t, cmp.Or(c.want, protocol.CodeInvalidJSON), e.Code, c.name)
			if c.want != protocol.CodePayloadTooLarge {
				assert.ErrorIs(t, e, c.err, "%s: for the log", c.name)
			}
		}
	}
	gone := newRequest(iotest.ErrReader(errors.New("whatever")), -1).WithContext(cancelled())
	_, err := readBody(nil, gone, 10)
	assert.Equal(t, protocol.CodeRequestAborted, protocol.Public(err).Code, "of a caller that left")
}

func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestReadBodyUsesTheBuffer(t *testing.T) {
	buf := make([]byte, 5, 64)
	body, err := readBody(buf, newRequest(strings.NewReader("abc"), 3), 10)
	require.NoError(t, err)
	assert.Equal(t, "abc", string(body))
	assert.Equal(t, "abc", string(buf[:3]), "the same memory")

	body, err = readBody(make([]byte, 0, 1), newRequest(strings.NewReader("abc"), 3), 10)
	require.NoError(t, err)
	assert.Equal(t, "abc", string(body), "a small one is replaced")
}

// counter counts what was read of an endless body.
type counter int64

func (c *counter) Read(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func TestReadBodyStopsAtTheLimit(t *testing.T) {
	const limit = 10_000
	var read counter
	_, err := readBody(nil, newRequest(&read, -1), limit)
	assert.Equal(t, protocol.CodePayloadTooLarge, protocol.Public(err).Code)
	assert.LessOrEqual(t, int64(read), int64(4*limit), "what was read of a body without an end")

	read = 0
	_, err = readBody(nil, newRequest(&read, limit+1), limit)
	assert.Equal(t, protocol.CodePayloadTooLarge, protocol.Public(err).Code)
	assert.Zero(t, read, "what was read of a body that is announced to be too large")
}

func TestReadBodyDoesNotTrustTheLength(t *testing.T) {
	body, err := readBody(nil, newRequest(strings.NewReader("abc"), 1<<40), 1<<41)
	require.NoError(t, err)
	assert.LessOrEqual(t, cap(body), 2<<20, "memory for a body that is announced and not there")
}

func TestReadBodyWithoutALimit(t *testing.T) {
	body, err := readBody(nil, newRequest(strings.NewReader(gzipped(t, "0123456789")), -1, "gzip"), math.MaxInt64)
	require.NoError(t, err)
	assert.Equal(t, "0123456789", string(body))
}

func TestReadBodyOfEmptyGzipMembers(t *testing.T) {
	members := strings.Repeat(gzipped(t, ""), 10_000)
	_, err := readBody(nil, newRequest(strings.NewReader(members), -1, "gzip"), 100)
	assert.Equal(t, protocol.CodePayloadTooLarge, protocol.Public(err).Code, "they decode to nothing, and must end all the same")
}

func FuzzReadBody(f *testing.F) {
	f.Add([]byte(`{"input":1}`), 20, uint8(0), false)
	f.Add([]byte("a\xe2\x82b"), 4, uint8(1), true)
	f.Add([]byte(gzipped(f, "0123456789")), 10, uint8(2), true)
	f.Add([]byte(gzipped(f, strings.Repeat("\xff", 500))), 499, uint8(2), false)
	f.Fuzz(func(t *testing.T, data []byte, limit int, form uint8, announced bool) {
		if limit < 0 || limit > 1<<20 {
			return
		}
		length := int64(-1)
		if announced {
			length = int64(len(data))
		}
		encoding := []string{"", "gzip", "gzip", "br"}[form%4]
		if form%4 == 1 { // valid gzip of it
			data = []byte(gzipped(t, string(data)))
		}
		body, err := readBody(nil, newRequest(bytes.NewReader(data), length, encoding), int64(limit))
		if err != nil {
			var e *protocol.Error
			if !errors.As(err, &e) || body != nil {
				t.Fatalf("body %q, error %v", body, err)
			}
			if form%4 == 0 && len(data) <= limit {
				t.Fatalf("%d bytes of %d refused: %v", len(data), limit, err)
			}
			return
		}
		if len(body) > limit {
			t.Fatalf("%d bytes, limit %d", len(body), limit)
		}
		if form%4 == 0 && !bytes.Equal(body, data) {
			t.Fatalf("%q became %q", data, body)
		}
	})
}
