// Package dialects_test compares the dialects of values in Go with Runner's serializers.
package dialects_test

import (
	"bufio"
	"context"
	"encoding/json"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/ejson"
	"github.com/bluelibs/go-tunnel/protocol/serializer"
	"github.com/bluelibs/go-tunnel/standalone"
	"github.com/bluelibs/go-tunnel/tests/internal/runner"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// customPoint is the custom type of testdata/runner/values.js.
type customPoint struct {
	X json.RawMessage `json:"x,omitempty"`
	Y json.RawMessage `json:"y,omitempty"`
}

// codecs are the dialects, by the names that the scripts have for them.
func codecs() map[string]protocol.Codec {
	five, four := new(serializer.Codec), new(ejson.Codec)
	serializer.Register[customPoint](five, "Point")
	ejson.Register[customPoint](four, "Point")
	return map[string]protocol.Codec{"serializer": five, "ejson": four}
}

// booking has a field of each kind that has a Go type of its own.
type booking struct {
	At     time.Time      `json:"at"`
	Amount *big.Int       `json:"amount"`
	Count  int64          `json:"count"`
	Ratio  float64        `json:"ratio"`
	Scores map[string]int `json:"scores"`
	Tags   []string       `json:"tags"`
	Data   []byte         `json:"data"`
	Where  *url.URL       `json:"where"`
	Note   *string        `json:"note"`
	Any    any            `json:"any"`
}

// change returns a booking with every value another one.
func change(_ context.Context, in booking) (booking, error) {
	in.At = in.At.Add(time.Hour)
	if in.Amount != nil {
		in.Amount.Lsh(in.Amount, 1)
	}
	in.Count++
	in.Ratio = -in.Ratio
	for name := range in.Scores {
		in.Scores[name] *= 2
	}
	slices.Reverse(in.Tags)
	slices.Reverse(in.Data)
	return in, nil
}

// What the real client of Runner sends to a Go task comes back deeply equal.
func TestDialectsThroughTheRealClient(t *testing.T) {
	runner.Install(t)
	for name, codec := range codecs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry := standalone.NewRegistry()
			registry.Codec = codec
			standalone.Task(registry, "app.tasks.echo", func(_ context.Context, in any) (any, error) { return in, nil })
			standalone.Task(registry, "app.tasks.booking", change)
			address := testapp.Serve(t, registry, tunnel.Config{AllowList: registry.List()})
			out := runDialect(t, "", "dialect-clients.js", address+"/__runner", "secret", name)
			count := regexp.MustCompile(`^ok (\d+) values\n$`).FindStringSubmatch(out)
			require.NotNil(t, count, out)
			values, err := strconv.Atoi(count[1])
			require.NoError(t, err)
			assert.GreaterOrEqual(t, values, map[string]int{"serializer": 150, "ejson": 100}[name])
		})
	}
}

// The golden files are what the real serializers write today.
func TestDialectGoldenFiles(t *testing.T) {
	runner.Install(t)
	for name := range codecs() {
		want, err := os.ReadFile(filepath.Join("..", "..", "protocol", name, "testdata", "golden.json"))
		require.NoError(t, err)
		assert.Equal(t, string(want), runDialect(t, "", "dialect-golden.js", name), name)
	}
}

// runDialect returns what a script of testdata/runner prints.
func runDialect(t *testing.T, stdin, script string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runner.ScriptBound)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{script}, args...)...)
	cmd.Dir = runner.Dir
	cmd.Env = append(os.Environ(), "TZ=UTC")
	cmd.Stdin = strings.NewReader(stdin)
	cmd.WaitDelay = time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s: %s%s", script, out, stderr.String())
	return string(out)
}

// A dialectCase is a document that Go accepted, and what Go makes of it.
type dialectCase struct {
	Dialect string `json:"dialect"`
	Wire    string `json:"wire"`
	Echo    string `json:"echo"`
}

// compareDialects sends cases through the real serializers and reports those that they
// refuse, or read otherwise.
func compareDialects(t *testing.T, cases []dialectCase) {
	t.Helper()
	var input strings.Builder
	for _, c := range cases {
		line, err := json.Marshal(c)
		require.NoError(t, err)
		input.Write(append(line, '\n'))
	}
	results := bufio.NewScanner(strings.NewReader(runDialect(t, input.String(), "dialect-compare.js")))
	compared := 0
	for ; results.Scan(); compared++ {
		var result struct{ Accepted, Equal bool }
		require.NoError(t, json.Unmarshal(results.Bytes(), &result))
		c := cases[compared]
		if assert.True(t, result.Accepted, "%s refuses %.300s", c.Dialect, c.Wire) {
			assert.True(t, result.Equal, "%s reads otherwise %.300s\nthan %.300s", c.Dialect, c.Wire, c.Echo)
		}
	}
	require.Equal(t, len(cases), compared)
}
