package dialects_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/tests/internal/runner"
)

// incomparable are documents of which the echo cannot be the same: halves of surrogate
// pairs, which Go's strings cannot hold; -0, which JavaScript itself writes as 0, and what
// rounds to it; the name that EJSON reads but does not write, and binary data, which it
// reads as text; errors that are nodes of a graph, which the serializer restores without
// what makes them errors to a deep comparison.
var incomparable = regexp.MustCompile(`(?i)\\ud[89a-f]|-0|-[0-9.]+e-[0-9]{3}|__proto__|\$binary|"kind":"type".*Error`)

// What Go accepts the real serializers accept, and read alike: of the documents of the
// golden files, those that fuzzing found, and a few thousand that are nearly like them.
func TestDialectsDifferential(t *testing.T) {
	runner.Install(t)
	var cases []dialectCase
	for name, codec := range codecs() {
		random := rand.New(rand.NewPCG(1, 2)) // the same documents every time
		documents := dialectDocuments(t, name)
		for range 30_000 {
			documents = append(documents, mutate(random, documents))
		}
		for range 5_000 {
			documents = append(documents, randomRegExp(random, name))
		}
		before := len(cases)
		for _, wire := range documents {
			if incomparable.MatchString(wire) || len(wire) > 4000 {
				continue
			}
			if echo, accepted := echoOf(t, codec, wire); accepted {
				cases = append(cases, dialectCase{name, wire, echo})
			}
		}
		t.Logf("%s: %d documents, %d accepted", name, len(documents), len(cases)-before)
		assert.Greater(t, len(cases)-before, 1000, "too few to tell anything")
	}
	compareDialects(t, cases)
}

func echoOf(t *testing.T, codec protocol.Codec, wire string) (echo string, accepted bool) {
	t.Helper()
	var value any
	if codec.Unmarshal([]byte(wire), &value) != nil {
		return "", false
	}
	text, err := codec.Marshal(value)
	require.NoError(t, err, "accepted but not written: %s", wire)
	return string(text), true
}

// dialectDocuments returns the documents of the golden file and of the fuzz corpus, and
// those of the files that DIALECT_CORPUS matches: what fuzzing has left in Go's cache.
func dialectDocuments(t *testing.T, name string) []string {
	t.Helper()
	dir := filepath.Join("..", "..", "protocol", name, "testdata")
	text, err := os.ReadFile(filepath.Join(dir, "golden.json"))
	require.NoError(t, err)
	var goldens []struct{ Wire string }
	require.NoError(t, json.Unmarshal(text, &goldens))
	var documents []string
	for _, g := range goldens {
		documents = append(documents, strings.ToValidUTF8(g.Wire, "?"))
	}
	for _, pattern := range []string{filepath.Join(dir, "fuzz", "*", "*"), os.Getenv("DIALECT_CORPUS")} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			_, quoted, _ := strings.Cut(string(text), "[]byte(")
			document, err := strconv.Unquote(strings.TrimSuffix(strings.TrimSpace(quoted), ")"))
			require.NoError(t, err, file)
			documents = append(documents, strings.ToValidUTF8(document, "?"))
		}
	}
	return documents
}

// token is a piece of JSON, or a run of letters or digits in it.
var token = regexp.MustCompile(`\\u[0-9a-fA-F]{4}|\\.|[0-9]+|[A-Za-z_$:]+|.`)

// mutate returns a document with pieces removed, doubled, changed for others of it, or
// for a value of another document.
func mutate(random *rand.Rand, documents []string) string {
	document := documents[random.IntN(len(documents))]
	if len(document) > 2000 {
		return document[:random.IntN(100)]
	}
	pieces := token.FindAllString(document, -1)
	for range 1 + random.IntN(2) {
		if len(pieces) == 0 {
			break
		}
		i, j := random.IntN(len(pieces)), random.IntN(len(pieces))
		switch random.IntN(6) {
		case 0:
			pieces[i] = ""
		case 1:
			pieces[i] += pieces[j]
		case 2:
			pieces[i], pieces[j] = pieces[j], pieces[i]
		case 3:
			pieces[i] = pieces[j]
		case 4:
			odd := []string{"0", "-1", "256", "1e9", "null", "true", "[]", "{}", `""`, "[[]]", "8.64e15", `"NaN"`, "-", ".", "T", "Z", "5"}
			pieces[i] = odd[random.IntN(len(odd))]
		case 5:
			if other := documents[random.IntN(len(documents))]; len(other) < 200 {
				pieces[i] = other
			}
		}
	}
	return strings.Join(pieces, "")
}

// randomRegExp returns a document with a regular expression that is likely to be valid.
func randomRegExp(random *rand.Rand, dialect string) string {
	parts := []string{
		"a", "b", "0", "-", "é", "😀", "^", "$", ".", "|", "(", ")", "(", ")", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?<n>", "(?<m>", "(?", "[", "]", "[^", "{", "}",
		"*", "+", "?", "{1}", "{2,}", "{3,2}", "{,5}", `\`, `\d`, `\w`, `\b`, `\B`, `\1`, `\2`, `\0`, `\08`, `\k<n>`, `\k`, `\cA`, `\c`, `\x41`, `\x4`, `\u0041`, `\u{41}`,
		`\ud83d\ude00`, `\p{L}`, `\p{Lu}`, `\p{Greek}`, `\p{Script=Greek}`, `\p{ASCII}`, `\p{X}`, `\-`, `\/`, `\.`, "&&", "--", "/", ",", "=", ":", "<", ">", "!", "z-a", "a-z", `\d-`,
	}
	var pattern strings.Builder
	for range 1 + random.IntN(7) {
		pattern.WriteString(parts[random.IntN(len(parts))])
	}
	flags := []string{"", "", "g", "u", "u", "v", "iy"}[random.IntN(7)]
	source, _ := json.Marshal(pattern.String())
	if dialect == "ejson" {
		return fmt.Sprintf(`{"$regexp":%s,"$flags":%q}`, source, flags)
	}
	return fmt.Sprintf(`{"__type":"RegExp","value":{"pattern":%s,"flags":%q}}`, source, flags)
}
