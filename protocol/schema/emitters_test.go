package schema

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// allPairs is an environment variable: if it is not empty, all schemas are held against
// all values, not only some of them.
const (
	allPairs    = "SCHEMA_PAIRS"
	emittersDir = "../../tests/testdata/schemas"
)

// emitted is a schema of a library with what it was held against.
type emitted struct {
	Library string
	Name    string
	Schema  json.RawMessage
	Texts   []string
	Ajv     string // for each text 1 if ajv takes it
	Own     string // for each text 1 if the library does
}

// emit runs the libraries. Without npm and a registry the test is skipped, but in CI.
func emit(t *testing.T, every string) []emitted {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	_, err := os.Stat(filepath.Join(emittersDir, "node_modules", ".package-lock.json"))
	if errors.Is(err, os.ErrNotExist) {
		install := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
		install.Dir = emittersDir
		var out []byte
		if out, err = install.CombinedOutput(); err != nil {
			err = fmt.Errorf("npm ci: %w\n%s", err, out)
		}
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	run := exec.CommandContext(ctx, "node", "emit.mjs", every)
	run.Dir = emittersDir
	var left bytes.Buffer
	run.Stderr = &left
	out, err := run.Output()
	require.NoError(t, err, left.String())
	t.Log(left.String())
	var all []emitted
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var one emitted
		require.NoError(t, json.Unmarshal(lines.Bytes(), &one))
		all = append(all, one)
	}
	require.NoError(t, lines.Err())
	return all
}

// What six libraries emit is read as ajv and they themselves read it.
func TestEmitters(t *testing.T) {
	every := "8"
	if os.Getenv(allPairs) != "" {
		every = "1"
	}
	pairs := 0
	schemas, counts, examples := map[string]int{}, map[string]int{}, map[string]string{}
	for _, one := range emit(t, every) {
		schemas[one.Library]++
		set, err := Compile(Sources{Tasks: map[string]any{"a": []byte(one.Schema)}})
		if !assert.NoError(t, err, "%s %s", one.Library, one.Name) {
			continue
		}
		for i, text := range one.Texts {
			refused := set.Check(t.Context(), &protocol.Call{ID: "a", Payload: []byte(text)})
			pairs++
			p := verdicts{&one, text, issuesOfError(t, refused), one.Ajv[i], one.Own[i]}
			if p.agrees() {
				continue
			}
			cause := p.cause()
			if cause == "" {
				t.Errorf("%s %s, %s: ajv %c, own %c, here %q\n\t%s", one.Library, one.Name, text, p.ajv, p.own, p.issues, one.Schema)
				continue
			}
			counts[cause]++
			examples[cause] = cmp.Or(examples[cause], fmt.Sprintf("%s %s, %s", one.Library, one.Name, text))
		}
	}
	assert.Len(t, schemas, 6)
	t.Logf("%v schemas, %d pairs", schemas, pairs)
	for _, cause := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d %s: %s", counts[cause], cause, examples[cause])
	}
	if every == "1" {
		assert.GreaterOrEqual(t, pairs, 50_000)
		for _, c := range causes {
			assert.NotZero(t, counts[c.reason], "nothing has this cause any more: %s", c.reason)
		}
	}
}
