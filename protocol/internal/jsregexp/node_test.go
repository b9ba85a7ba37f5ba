package jsregexp

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// node is a process that says what RegExp does.
type oracle struct {
	mu  sync.Mutex
	in  *json.Encoder
	out *bufio.Scanner
}

func startNode(t testing.TB) *oracle {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("no node to compare with")
	}
	cmd := exec.Command(path, "testdata/match.js")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, in.Close())
		assert.NoError(t, cmd.Wait())
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<24)
	return &oracle{in: json.NewEncoder(in), out: lines}
}

// verdict returns whether RegExp matches each of the texts; nil: it takes no such pattern.
func (n *oracle) verdict(t testing.TB, pattern string, texts []string) (verdict []bool) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	require.NoError(t, n.in.Encode(map[string]any{"pattern": pattern, "texts": texts}))
	require.True(t, n.out.Scan())
	require.NoError(t, json.Unmarshal(n.out.Bytes(), &verdict))
	return verdict
}

func never() bool { return false }

// ours is verdict with all that this package can do with the pattern: each way of
// matching that takes it must say the same.
func ours(t testing.TB, pattern string, texts []string) (verdict []bool) {
	t.Helper()
	r, err := Compile(pattern)
	if err != nil {
		return nil
	}
	p, err := parse(pattern)
	require.NoError(t, err)
	all := []*Regexp{r}
	if r.linear != nil {
		if scan, err := assemble(p.root, 0, false, false); err == nil {
			all = append(all, &Regexp{scan: scan})
		}
	}
	if program, err := assemble(p.root, p.groups, true, false); err == nil {
		all = append(all, &Regexp{program: program})
	}
	verdict = []bool{}
	for _, text := range texts {
		found, err := r.Match(text, never)
		require.NoError(t, err, "%q on %q", pattern, text)
		verdict = append(verdict, found)
		for i, other := range all[1:] {
			steps := 0
			again, err := other.Match(text, func() bool { steps++; return steps > 20 })
			if err == nil && again != found {
				t.Errorf("%q on %q: %v, but %v the other way (%d)", pattern, text, found, again, i)
			}
		}
	}
	return verdict
}

var (
	modifiers  = regexp.MustCompile(`\(\?[ims-]+:`)
	namedGroup = regexp.MustCompile(`\(\?<([^>=!]+)>`)
)

// newer reports whether a pattern has what only some versions of Node.js take, and this
// package does not: modifiers, from 24 on, and two groups of one name.
func newer(pattern string) bool {
	names := map[string]bool{}
	for _, group := range namedGroup.FindAllStringSubmatch(pattern, -1) {
		if names[group[1]] {
			return true
		}
		names[group[1]] = true
	}
	return modifiers.MatchString(pattern)
}

func difference(pattern string, texts []string, node, here []bool) string {
	switch {
	case node == nil && here == nil:
		return ""
	case node == nil:
		return fmt.Sprintf("%q is none in JavaScript", pattern)
	case here == nil && newer(pattern):
		return ""
	case here == nil:
		return fmt.Sprintf("%q does not compile here", pattern)
	}
	for i := range texts {
		if node[i] != here[i] {
			return fmt.Sprintf("%q on %q: JavaScript %v", pattern, texts[i], node[i])
		}
	}
	return ""
}

func TestMatchesWhatJavaScriptMatches(t *testing.T) {
	node := startNode(t)
	assert.GreaterOrEqual(t, len(patterns), 126)
	assert.GreaterOrEqual(t, len(texts), 85)
	matched, refused := 0, 0
	for _, pattern := range patterns {
		want := node.verdict(t, pattern, texts)
		if got := difference(pattern, texts, want, ours(t, pattern, texts)); got != "" {
			t.Error(got)
		}
		if want == nil {
			refused++
		} else if slices.Contains(want, true) && slices.Contains(want, false) {
			matched++
		}
	}
	t.Logf("%d patterns, %d texts: %d patterns are none, %d tell texts apart", len(patterns), len(texts), refused, matched)
}

func FuzzAgainstNode(f *testing.F) {
	node := startNode(f)
	for i, pattern := range patterns {
		f.Add(pattern, texts[i%len(texts)])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) || len(pattern) > 40 || len(text) > 8 { // so that no way of trying takes long
			t.Skip()
		}
		if strings.ContainsAny(pattern, "0123456789") && strings.Contains(pattern, "{") {
			t.Skip() // counts may take either side long
		}
		if got := difference(pattern, []string{text}, node.verdict(t, pattern, []string{text}), ours(t, pattern, []string{text})); got != "" {
			t.Error(got)
		}
	})
}
