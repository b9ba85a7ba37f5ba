package client_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/client"
)

// script is a transport that plays answers in turn, the last one for ever.
type script struct {
	answers []scripted
	ids     []string
	times   []time.Time
}

type scripted struct {
	status     int // 0: the connection fails
	retryAfter string
	body       string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.times = append(s.times, time.Now())
	body := ""
	if r.Body != nil {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_, body = r.Body.Close(), string(text)
	}
	s.ids = append(s.ids, r.Header.Get(protocol.HeaderRequestID)+" "+body)
	a := s.answers[min(len(s.ids), len(s.answers))-1]
	if a.status == 0 {
		return nil, errors.New("connection refused")
	}
	if a.body == "" {
		a.body = `{"ok":false,"error":{"message":"m","code":"X"}}`
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if a.retryAfter != "" {
		header.Set("Retry-After", a.retryAfter)
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func scriptedClient(t *testing.T, answers ...scripted) (*client.Client, *script) {
	s := &script{answers: answers}
	c, err := client.New("http://h", client.Config{HTTPClient: &http.Client{Transport: s}})
	require.NoError(t, err)
	return c, s
}

var (
	works   = scripted{status: 200, body: okAnswer}
	refused = scripted{}
	busy    = scripted{status: 503}
)

func TestRetry(t *testing.T) {
	three := client.WithRetry(client.Retry{})
	for name, c := range map[string]struct {
		opts     []client.Option
		answers  []scripted
		attempts int
		works    bool
	}{
		"off":                     {nil, []scripted{busy, works}, 1, false},
		"503":                     {[]client.Option{three}, []scripted{busy, works}, 2, true},
		"429":                     {[]client.Option{three}, []scripted{{status: 429}, works}, 2, true},
		"502 and 504":             {[]client.Option{three}, []scripted{{status: 502}, {status: 504, body: "<html>"}, works}, 3, true},
		"no connection":           {[]client.Option{three}, []scripted{refused, works}, 2, true},
		"three times are enough":  {[]client.Option{three}, []scripted{refused, busy, busy, works}, 3, false},
		"two if you like":         {[]client.Option{client.WithRetry(client.Retry{Attempts: 2})}, []scripted{busy, busy, works}, 2, false},
		"500 is final":            {[]client.Option{three}, []scripted{{status: 500}, works}, 1, false},
		"404 is final":            {[]client.Option{three}, []scripted{{status: 404}, works}, 1, false},
		"no JSON is final":        {[]client.Option{three}, []scripted{{status: 200, body: "<html>"}, works}, 1, false},
		"success by 503":          {[]client.Option{three}, []scripted{{status: 503, body: okAnswer}}, 1, true},
		"a wait that is too long": {[]client.Option{three}, []scripted{{status: 503, retryAfter: "11"}, works}, 1, false},
		"absurd waits":            {[]client.Option{three}, []scripted{{status: 503, retryAfter: "-1"}, {status: 503, retryAfter: "99999999999999999999"}, works}, 3, true},
		"absurd settings": {[]client.Option{client.WithRetry(client.Retry{Attempts: 70, Delay: math.MaxInt64, MaxDelay: math.MaxInt64})},
			[]scripted{busy, busy, works}, 3, true},
		"many": {[]client.Option{client.WithRetry(client.Retry{Attempts: 70, Delay: 1, MaxDelay: math.MaxInt64})}, []scripted{busy}, 70, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cl, s := scriptedClient(t, c.answers...)
				got, err := client.Task[int](t.Context(), cl, "a", 7, c.opts...)
				assert.Len(t, s.ids, c.attempts)
				for _, sent := range s.ids {
					assert.Equal(t, s.ids[0], sent, "the same id and body each time")
					assert.Contains(t, sent, `{"input":7}`)
				}
				if c.works {
					require.NoError(t, err)
					assert.Equal(t, 1, got)
				} else {
					assert.Error(t, err)
				}
			})
		})
	}
}

// Delays double up to the longest, each half as long to one and a half times.
func TestRetryDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl, s := scriptedClient(t, busy)
		_, err := client.Task[int](t.Context(), cl, "a", nil, client.WithRetry(client.Retry{Attempts: 7, Delay: time.Second, MaxDelay: 6 * time.Second}))
		require.Error(t, err)
		for i, mean := range []time.Duration{1, 2, 4, 6, 6, 6} {
			waited := s.times[i+1].Sub(s.times[i])
			assert.GreaterOrEqual(t, waited, mean*time.Second/2)
			assert.LessOrEqual(t, waited, min(mean*3*time.Second/2, 6*time.Second))
		}
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		date := time.Now().Add(9 * time.Second).UTC().Format(http.TimeFormat)
		cl, s := scriptedClient(t, scripted{status: 429, retryAfter: "7"}, scripted{status: 503, retryAfter: date}, works)
		_, err := client.Task[int](t.Context(), cl, "a", nil, client.WithRetry(client.Retry{}))
		require.NoError(t, err)
		assert.Equal(t, 7*time.Second, s.times[1].Sub(s.times[0]))
		assert.Equal(t, 9*time.Second, s.times[2].Sub(s.times[0]))
	})
}

// A wait that the deadline would cut is not begun, and a cancelled one ends at once.
func TestRetryEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		cl, s := scriptedClient(t, scripted{status: 503, retryAfter: "6"}, works)
		begin := time.Now()
		_, err := client.Task[int](ctx, cl, "a", nil, client.WithRetry(client.Retry{}))
		var remote *protocol.Error
		assert.ErrorAs(t, err, &remote)
		assert.Len(t, s.ids, 1)
		assert.Zero(t, time.Since(begin))
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		cl, s := scriptedClient(t, scripted{status: 503, retryAfter: "6"}, works)
		begin := time.Now()
		_, err := client.Task[int](ctx, cl, "a", nil, client.WithRetry(client.Retry{}))
		assert.Error(t, err)
		assert.Len(t, s.ids, 1)
		assert.Equal(t, time.Second, time.Since(begin))
	})
}

// What a reader gave is gone.
func TestReadersAreNotTriedAgain(t *testing.T) {
	for _, answer := range []scripted{busy, refused} {
		for _, in := range []any{strings.NewReader("x"), &client.File{Reader: strings.NewReader("x")}} {
			cl, s := scriptedClient(t, answer, works)
			_, err := client.Task[int](t.Context(), cl, "a", in, client.WithRetry(client.Retry{}))
			assert.Error(t, err)
			_, err = client.TaskStream(t.Context(), cl, "a", strings.NewReader("x"), client.WithRetry(client.Retry{}))
			assert.Error(t, err)
			assert.Len(t, s.times, 2)
		}
	}
}

// Every kind of call can be tried again.
func TestRetryOfEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl, s := scriptedClient(t, busy, works, busy, works)
		require.NoError(t, client.Event(t.Context(), cl, "a", 1, client.WithRetry(client.Retry{})))
		_, err := client.EventWithResult[int](t.Context(), cl, "a", 1, client.WithRetry(client.Retry{}))
		require.NoError(t, err)
		assert.Len(t, s.ids, 4)
	})
}
