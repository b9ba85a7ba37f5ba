// Package differential_test sends the same requests to Runner's own servers, of 5.5.0 and
// of 6.4.1, and to ours, and compares the answers.
package differential_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	tunnel "github.com/bluelibs/go-tunnel"

	"github.com/bluelibs/go-tunnel/tests/internal/runner"
	"github.com/bluelibs/go-tunnel/tests/testapp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// exchange is what one connection carries. Requests are raw bytes, so that they can be
// what no HTTP client would send.
type exchange struct {
	name    string
	raw     string
	answers int  // how many to read; 0 means 1
	cut     bool // end the sending side after raw

	big func() string // makes raw, where that is long
}

// serverPair is a Runner process and our servers with the same configuration.
type serverPair struct {
	name   string
	runner map[string]any // what exposure.js takes
	app    map[string]any // the options of createApp, for both applications
	ours   tunnel.Config
	closed bool // our server has no allow-list
	cases  []exchange

	// runnerOnly marks what only a Runner application has: of ours, only the one that
	// serves such an application is asked.
	runnerOnly bool
	// movesBytes marks files, raw bodies and streams: a task module is asked too, and the
	// plain worker, which takes none of them, is not.
	movesBytes bool
	// validators makes our server ask the application's auth validators too.
	validators bool
}

var serverPairs = slices.Concat(
	routingGroups, methodGroups, authGroups, bodyGroups, errorGroups, eventGroups, corsGroups,
	runnerValueGroups, runnerResultGroups, runnerErrorGroups, runnerContextGroups, runnerEventGroups, runnerAuthGroups,
	kitGroups, formGroups, formFileGroups, formLimitGroups, octetGroups, responseGroups, streamGroups,
)

// compared are the executors that the requests go to, with the test application.
var compared = []string{"standalone", "ipc", "module", "runner"}

// difference says where our answers are not Runner's. The test fails if one that is not
// here occurs, and if one that is here does not.
type difference struct {
	reason   string
	executor string   // of ours, or several with a blank between them; "" means every one
	what     []string // as compareAnswers words it
	cases    []string // "group/case"
}

// TestDifferential sends the same requests to Runner's own exposure and to ours.
func TestDifferential(t *testing.T) {
	runner.Install(t)
	execs := make(map[string]tunnel.Executor)
	for _, name := range compared {
		execs[name] = testapp.Executors[name](t)
	}
	full := testapp.RunnerApp(t, testapp.FullApp)
	checkDifferences(t)
	for _, g := range serverPairs {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			theirs := testapp.StartExposure(t, g.config())
			ours := g.serve(t, execs, full)
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) {
					if c.big != nil {
						c.raw = c.big()
					}
					want := c.send(t, theirs)
					for name, address := range ours {
						got := compareAnswers(want, c.send(t, address))
						assert.ElementsMatch(t, listedDifferences(g.name+"/"+c.name, name), got,
							"%s: listA is what the list of differences says, listB what was found, for %.500q", name, c.raw)
					}
				})
			}
		})
	}
}

// listedDifferences returns the listed differences of a case.
func listedDifferences(name, executor string) (what []string) {
	for _, d := range differences {
		if (d.executor == "" || slices.Contains(strings.Fields(d.executor), executor)) && slices.Contains(d.cases, name) {
			what = append(what, d.what...)
		}
	}
	return what
}

// checkDifferences finds entries that no case can ever meet.
func checkDifferences(t *testing.T) {
	names := make(map[string]bool)
	for _, g := range serverPairs {
		for _, c := range g.cases {
			name := g.name + "/" + c.name
			require.False(t, names[name], "two cases are called %q", name)
			names[name] = true
		}
	}
	for _, d := range differences {
		require.NotEmpty(t, d.reason)
		require.NotEmpty(t, d.what)
		require.Subset(t, compared, strings.Fields(d.executor))
		for _, name := range d.cases {
			require.True(t, names[name], "the list of differences has %q, which is no case", name)
		}
	}
}

// rawAnswer is what is compared of a response. Request ids that a server made are replaced
// by newID: no two are equal.
type rawAnswer struct {
	status  int    // 0: the connection ended, or nothing came
	interim string // the statuses before it, such as 100
	header  http.Header
	body    string
}

const newID = "<new UUID v4>"

var uuidV4 = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b`)

// retryTime is in the message of Runner's rate limit.
var retryTime = regexp.MustCompile(`Try again after [0-9]{4}-[0-9:T.-]+Z`)

// answerBound is for servers that never answer; no case is about time.
const answerBound = 20 * time.Second

func (c exchange) send(t *testing.T, address string) (answers []rawAnswer) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(answerBound)))
	sent := make(chan struct{})
	go func() { // a server may answer, and hang up, before it has read everything
		defer close(sent)
		_, _ = io.WriteString(conn, c.raw)
		if c.cut {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}()
	defer func() {
		_ = conn.Close()
		<-sent
	}()

	method, _, _ := strings.Cut(c.raw, " ")
	reader := bufio.NewReader(conn)
	interim := ""
	for len(answers) < max(1, c.answers) {
		a := c.read(reader, method)
		if 100 <= a.status && a.status < 200 {
			interim += strconv.Itoa(a.status)
			continue
		}
		a.interim, interim = interim, ""
		answers = append(answers, a)
		if a.status == 0 {
			break
		}
	}
	return answers
}

func (c exchange) read(reader *bufio.Reader, method string) rawAnswer {
	response, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		return rawAnswer{body: ending("", err)}
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		body = append(body, ending(" (cut short)", err)...)
	}
	switch {
	case response.StatusCode == http.StatusNoContent:
		response.Header.Del("Content-Length") // RFC 9110, section 8.6: must not be there
	case response.Header.Get("Content-Length") == strconv.Itoa(len(body)):
		response.Header.Set("Content-Length", "of the body") // where bodies differ, lengths may
	}
	anonymous := func(s string) string {
		return uuidV4.ReplaceAllStringFunc(s, func(id string) string {
			if strings.Contains(c.raw, id) {
				return id
			}
			return newID
		})
	}
	for _, values := range response.Header {
		for i := range values {
			values[i] = anonymous(values[i])
		}
	}
	return rawAnswer{
		status: response.StatusCode, header: response.Header,
		body: retryTime.ReplaceAllString(anonymous(string(body)), "Try again after <time>"),
	}
}

// ending says how an answer ended before its time.
func ending(cut string, err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return " (and no more)"
	}
	return cut
}

// comparedHeaders are the headers that belong to the protocol, besides those of CORS.
var comparedHeaders = []string{
	"Allow", "Cache-Control", "Content-Disposition", "Content-Length", "Content-Type", "Etag", "Location", "Retry-After",
	"Set-Cookie", "Vary", "Www-Authenticate", "X-A", "X-Content-Type-Options", "X-Frame-Options", "X-Runner-Request-Id",
}

// compareAnswers says in words where our answers are not theirs.
func compareAnswers(theirs, ours []rawAnswer) (what []string) {
	for i := range max(len(theirs), len(ours)) {
		var a, b rawAnswer
		if i < len(theirs) {
			a = theirs[i]
		}
		if i < len(ours) {
			b = ours[i]
		}
		say := func(name string, theirs, ours any) {
			if theirs == ours {
				return
			}
			text := fmt.Sprintf("%s: %v, ours: %v", name, theirs, ours)
			if i > 0 {
				text = fmt.Sprintf("answer %d: %s", i+1, text)
			}
			what = append(what, text)
		}
		say("status", a.status, b.status)
		say("interim", a.interim, b.interim)
		for _, name := range comparedNames(a.header, b.header) {
			say(strings.ToLower(name), headerText(a.header, name), headerText(b.header, name))
		}
		say("body", a.body, b.body)
	}
	return what
}

func comparedNames(headers ...http.Header) []string {
	names := slices.Clone(comparedHeaders)
	for _, header := range headers {
		for name := range header {
			if strings.HasPrefix(name, "Access-Control-") && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func headerText(header http.Header, name string) string {
	values := header.Values(name)
	if values == nil {
		return "none"
	}
	return strings.Join(values, " | ")
}
