package http1_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cuts is how often requests are cut in TestTornRequests. CUTS=100000 is a long run.
func cuts(t *testing.T) int64 {
	text := os.Getenv("CUTS")
	if text == "" {
		return 4000
	}
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err)
	return n
}

// Each answer belongs to its request, in order, however the requests are cut.
func TestTornRequests(t *testing.T) { overBoth(t, testTornRequests) }

func testTornRequests(t *testing.T) {
	s := start(t, echo, nil)
	var left atomic.Int64
	left.Store(cuts(t))
	var callers sync.WaitGroup
	for n := range 8 {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 18))
			for left.Load() > 0 && !t.Failed() {
				left.Add(-int64(torn(t, s, random, n)))
			}
		})
	}
	callers.Wait()
	stats := s.front.Stats()
	t.Logf("%+v", stats)
	assert.Greater(t, stats.Served, stats.HandedOver)
}

// torn sends some requests over one connection, and returns how often they were cut.
func torn(t *testing.T, s *served, random *rand.Rand, n int) (cuts int) {
	c := dial(t, s)
	defer c.Conn.Close()
	var requests strings.Builder
	var want []string
	for i := range 1 + random.IntN(20) {
		target := fmt.Sprintf("/plain/%d/%d", n, i)
		body := strings.Repeat(fmt.Sprintf("%d-%d;", n, i), random.IntN(40))
		switch random.IntN(60) {
		case 0:
			body = strings.Repeat(body, random.IntN(100))
		case 1:
			target = "/other" + target
		case 2:
			requests.WriteString(strings.Replace(post(target, body), "Host", "X-Odd:  y\r\nHost", 1))
			want = append(want, target+" "+body)
			continue
		}
		requests.WriteString(post(target, body))
		want = append(want, target+" "+body)
	}
	sent := make(chan int)
	go func() {
		all, cuts := requests.String(), 0
		for all != "" {
			size := 1 + random.IntN(min(len(all), 1+random.IntN(300)))
			if _, err := c.Conn.Write([]byte(all[:size])); err != nil {
				t.Error(err)
				break
			}
			all = all[size:]
			cuts++
			if random.IntN(3) == 0 {
				time.Sleep(time.Microsecond) // so that some pieces come alone
			} else {
				runtime.Gosched()
			}
		}
		sent <- cuts
	}()
	for i, answer := range want {
		res, got := c.answer(t)
		if !assert.Equal(t, http.StatusOK, res.StatusCode) || !assert.True(t, answer == got, "answer %d: want %.50q, got %.50q", i, answer, got) {
			break
		}
	}
	return <-sent
}
