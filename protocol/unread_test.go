package protocol_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/bluelibs/go-tunnel/protocol"
)

// deadlineWriter interrupts who reads from it once it gets a deadline.
type deadlineWriter struct {
	http.ResponseWriter
	once sync.Once
	set  chan struct{}
}

func (w *deadlineWriter) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		w.once.Do(func() { close(w.set) })
	}
	return nil
}

func (w *deadlineWriter) Read([]byte) (int, error) {
	<-w.set
	return 0, os.ErrDeadlineExceeded
}

// A deadline behind the end of a body would be one for the requests that follow.
func TestDropBodySetsADeadlineOnlyWhereItHangsUp(t *testing.T) {
	for name, test := range map[string]struct {
		length   int64
		body     string
		more     bool // does not come
		expect   string
		deadline bool
	}{
		"none":              {length: 0},
		"read to its end":   {length: 3},
		"whole":             {length: 3, body: "abc"},
		"whole and chunked": {length: -1, body: "abc"},
		"does not come":     {length: 3, more: true, deadline: true},
		"stops":             {length: -1, body: "abc", more: true, deadline: true},
		"long":              {length: 1 << 30, more: true, deadline: true},
		"chunked and long":  {length: -1, body: strings.Repeat("x", 1<<20), deadline: true},
		"not asked for":     {length: 3, expect: "100-continue", more: true, deadline: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := &deadlineWriter{ResponseWriter: httptest.NewRecorder(), set: make(chan struct{})}
			var body io.Reader = strings.NewReader(test.body)
			if test.more {
				body = io.MultiReader(body, w)
			}
			r := httptest.NewRequest(http.MethodPost, "/", body)
			r.ContentLength = test.length
			r.Header.Set("Expect", test.expect)
			protocol.DropBody(w, r)
			select {
			case <-w.set:
				assert.True(t, test.deadline)
			default:
				assert.False(t, test.deadline)
			}
		})
	}
}

// Without deadlines nothing could end a Read.
func TestDropBodyWithoutDeadlines(t *testing.T) {
	body := strings.NewReader("abc")
	protocol.DropBody(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", body))
	assert.Equal(t, 3, body.Len())
}
