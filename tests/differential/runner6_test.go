package differential_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	tunnel "github.com/bluelibs/go-tunnel"

	"github.com/bluelibs/go-tunnel/tests/internal/runner6"
	"github.com/bluelibs/go-tunnel/tests/testapp"
)

// group6 are requests to an application of Runner 6 with one configuration.
type group6 struct {
	name  string
	cases []exchange
}

// TestDifferential6 sends the same requests to the exposure of Runner 6.4.1 and to the
// same application as a worker.
func TestDifferential6(t *testing.T) {
	keys := runner6.NewKeys(t)
	options := map[string]any{"keys": keys.Options(t)}
	theirs := runner6.StartExposure(t, options)
	pool := runner6.App(t, options)
	ours := testapp.ServeAsIs(t, pool, tunnel.Config{Tokens: []string{"secret"}})
	differences := differences6(`{"ok":true,"result":` + string(pool.List().Discovery()) + `}`)
	total, same := 0, 0
	names := map[string]bool{}
	for _, g := range groups6(t, keys) {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				name := g.name + "/" + c.name
				require.False(t, names[name], "two cases are called %q", name)
				names[name] = true
				total++
				t.Run(c.name, func(t *testing.T) {
					got := compareAnswers(c.send(t, theirs), c.send(t, ours))
					if len(got) == 0 {
						same++
					}
					var listed []string
					for _, d := range differences {
						if d.has(name) {
							listed = append(listed, d.what...)
						}
					}
					assert.ElementsMatch(t, listed, got,
						"listA is what the list of differences says, listB what was found, for %.500q", c.raw)
				})
			}
		})
	}
	for _, d := range differences {
		require.NotEmpty(t, d.reason)
		for _, name := range d.cases {
			require.True(t, names[name], "the list of differences has %q, which is no case", name)
		}
	}
	t.Logf("%d of %d requests are answered the same", same, total)
}
