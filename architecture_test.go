package tunnel_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/bluelibs/go-tunnel"

// The arrows between packages point downwards only.
func TestPackagesImportDownwardsOnly(t *testing.T) {
	allowed := map[string][]string{
		"":                           {"protocol", "protocol/http1", "protocol/serve"},
		"standalone":                 {"protocol", "protocol/lane"},
		"ipc":                        {"protocol", "protocol/lane", "protocol/rawjson"},
		"protocol":                   {"protocol/rawjson"},
		"protocol/rawjson":           {},
		"protocol/http1":             {"protocol/serve"},
		"protocol/serve":             {"protocol"},
		"protocol/client":            {"protocol", "protocol/lane", "protocol/rawjson"},
		"protocol/lane":              {"protocol", "protocol/internal/dialect", "protocol/rawjson"},
		"protocol/schema":            {"protocol", "protocol/internal/ecma", "protocol/internal/format", "protocol/internal/jsregexp", "protocol/rawjson"},
		"protocol/ratelimit":         {"protocol"},
		"protocol/compress":          {},
		"protocol/protocoltest":      {"protocol"},
		"examples/bench":             {"", "ipc", "standalone"},
		"examples/client":            {"protocol", "protocol/client"},
		"examples/ipc":               {"", "examples/internal/serve", "ipc"},
		"examples/deploy":            {"", "ipc", "protocol", "protocol/http1", "protocol/serve"},
		"examples/standalone":        {"", "examples/internal/serve", "protocol", "standalone"},
		"examples/minimal":           {"", "ipc"},
		"examples/mount":             {"", "ipc", "standalone"},
		"examples/runner":            {"", "examples/internal/serve", "ipc"},
		"examples/stream":            {"", "examples/internal/serve", "ipc"},
		"examples/upload":            {"", "examples/internal/serve", "ipc", "protocol/client", "standalone"},
		"examples/quickstart":        {"", "standalone"},
		"examples/hybrid":            {"", "examples/internal/serve", "ipc", "protocol", "protocol/schema", "standalone"},
		"examples/jwt":               {"", "examples/internal/serve", "protocol", "protocol/ratelimit", "standalone"},
		"examples/lanes":             {"", "ipc", "protocol/client", "protocol/lane", "standalone"},
		"examples/internal/serve":    {"", "protocol"},
		"protocol/internal/ecma":     {},
		"protocol/internal/format":   {},
		"protocol/internal/jsregexp": {},
		"protocol/internal/dialect":  {"protocol", "protocol/rawjson"},
		"protocol/serializer":        {"protocol", "protocol/internal/dialect", "protocol/internal/ecma"},
		"protocol/ejson":             {"protocol", "protocol/internal/dialect", "protocol/internal/ecma"},
	}
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}{{range .Imports}} {{.}}{{end}}", "./...").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := local(fields[0])
		if pkg == "examples" { // holds tests only
			continue
		}
		arrows, known := allowed[pkg]
		assert.True(t, known, "package %q is not in the table", pkg)
		for _, path := range fields[1:] {
			if strings.HasPrefix(path, module) {
				assert.Contains(t, arrows, local(path), "%q imports it", pkg)
			}
			if pkg != "protocol/protocoltest" {
				assert.NotContains(t, path, "testify", "%q is no test", pkg)
			}
		}
	}
}

func local(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

// The top level is part of the design.
func TestTopLevel(t *testing.T) {
	expected := []string{"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "examples", "executor.go", "findings", "go.mod", "go.sum", "ipc", "protocol", "standalone", "testdata", "tunnel.go"}
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !strings.HasSuffix(e.Name(), "_test.go") {
			assert.Contains(t, expected, e.Name())
		}
	}
}
