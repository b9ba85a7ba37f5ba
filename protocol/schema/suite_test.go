package schema

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// suiteFolder is an environment variable: the folder of a JSON-Schema-Test-Suite.
const suiteFolder = "JSON_SCHEMA_SUITE"

// suiteDrafts are the drafts of the suite, and what $schema says for them.
var suiteDrafts = map[string]string{
	"draft2020-12": "https://json-schema.org/draft/2020-12/schema",
	"draft2019-09": "https://json-schema.org/draft/2019-09/schema",
	"draft7":       "http://json-schema.org/draft-07/schema#",
	"draft6":       "http://json-schema.org/draft-06/schema#",
	"draft4":       "http://json-schema.org/draft-04/schema#",
}

type suiteGroup struct {
	Description string
	Schema      json.RawMessage
	Tests       []struct {
		Description string
		Data        json.RawMessage
		Valid       bool
	}
}

// withDraft returns a schema that says which draft it is, if it does not.
func withDraft(t *testing.T, text []byte, draft string) []byte {
	t.Helper()
	var document map[string]json.RawMessage
	if json.Unmarshal(text, &document) != nil || document["$schema"] != nil {
		return text
	}
	document["$schema"] = json.RawMessage(`"` + draft + `"`)
	said, err := json.Marshal(document)
	require.NoError(t, err)
	return said
}

// suiteRemotes are the documents that schemas of a draft refer to.
func suiteRemotes(t *testing.T, folder, draft string) map[string]any {
	t.Helper()
	remotes := map[string]any{}
	root := filepath.Join(folder, "remotes")
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		require.NoError(t, err)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		own := suiteDrafts[draft]
		if first, _, below := strings.Cut(filepath.ToSlash(name), "/"); below && strings.HasPrefix(first, "draft") {
			if own = suiteDrafts[first]; own == "" {
				return nil // of a draft that nobody here reads
			}
		} else if first == "v1" {
			return nil
		}
		remotes["http://localhost:1234/"+filepath.ToSlash(name)] = withDraft(t, text, own)
		return nil
	}))
	return remotes
}

// suiteFailures returns what goes another way than a file of the suite says, and how many tests it has.
func suiteFailures(t *testing.T, file, draft string, remotes map[string]any, options Options) (failed []string, all int) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var groups []suiteGroup
	require.NoError(t, json.Unmarshal(text, &groups))
	name := strings.TrimSuffix(filepath.Base(file), ".json")
	for _, group := range groups {
		set, err := Compile(Sources{
			Tasks: map[string]any{"a": withDraft(t, group.Schema, suiteDrafts[draft])}, Shared: remotes, Options: options,
		})
		for _, test := range group.Tests {
			all++
			failure := fmt.Sprintf("%s/%s: %s: %s", draft, name, group.Description, test.Description)
			if err != nil {
				failed = append(failed, failure+": "+err.Error())
				continue
			}
			refused := set.Check(t.Context(), &protocol.Call{ID: "a", Payload: test.Data})
			if (refused == nil) != test.Valid {
				failed = append(failed, failure)
			}
		}
	}
	return failed, all
}

func suite(t *testing.T) string {
	t.Helper()
	folder := os.Getenv(suiteFolder)
	if folder == "" {
		t.Skip("no suite in " + suiteFolder)
	}
	return folder
}

func TestSuiteRequired(t *testing.T) {
	folder := suite(t)
	for draft := range suiteDrafts {
		t.Run(draft, func(t *testing.T) {
			remotes := suiteRemotes(t, folder, draft)
			files, err := filepath.Glob(filepath.Join(folder, "tests", draft, "*.json"))
			require.NoError(t, err)
			require.NotEmpty(t, files)
			total := 0
			for _, file := range files {
				failed, all := suiteFailures(t, file, draft, remotes, Options{Format: FormatAnnotate})
				total += all
				for _, failure := range failed {
					if !slices.Contains(suiteKnown, failure) {
						t.Error(failure)
					}
				}
			}
			t.Logf("%d tests", total)
		})
	}
}

func TestSuitePatterns(t *testing.T) {
	folder := suite(t)
	for draft := range suiteDrafts {
		for _, name := range []string{"optional/ecmascript-regex.json", "optional/format/ecmascript-regex.json", "optional/non-bmp-regex.json"} {
			file := filepath.Join(folder, "tests", draft, name)
			if _, err := os.Stat(file); err != nil {
				continue
			}
			failed, all := suiteFailures(t, file, draft, nil, Options{Format: FormatAssert})
			assert.Empty(t, failed)
			t.Logf("%s/%s: %d tests", draft, name, all)
		}
	}
}

func TestSuiteFormats(t *testing.T) {
	folder := suite(t)
	for draft := range suiteDrafts {
		t.Run(draft, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(folder, "tests", draft, "optional", "format", "*.json"))
			require.NoError(t, err)
			total, right := 0, 0
			for _, file := range files {
				failed, all := suiteFailures(t, file, draft, nil, Options{Format: FormatAssert})
				total += all
				right += all - len(failed)
				for _, failure := range failed {
					if !slices.Contains(suiteKnown, failure) {
						t.Error(failure)
					}
				}
			}
			t.Logf("%d of %d tests", right, total)
		})
	}
}

// suiteKnown are the tests that go another way, with the reason.
var suiteKnown = []string{
	// Drafts before 7 mean the names of RFC 1034, in which two hyphens are nothing special.
	"draft4/hostname: validation of host names: hostname with consecutive hyphens (RFC1123)",
	"draft6/hostname: validation of host names: hostname with consecutive hyphens (RFC1123)",
}
