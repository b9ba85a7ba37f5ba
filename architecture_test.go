package tunnel_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const module = "github.com/bluelibs/go-tunnel"

// The arrows between packages point downwards only.
func TestPackagesImportDownwardsOnly(t *testing.T) {
	allowed := map[string][]string{
		"":                           {"protocol", "protocol/http1", "protocol/serve"},
		"standalone":                 {"protocol"},
		"ipc":                        {"ipc/internal/conn", "ipc/internal/proc", "ipc/internal/sched", "ipc/internal/wire", "protocol", "protocol/lane"},
		"ipc/internal/sched":         {"ipc/internal/backoff", "protocol"},
		"ipc/internal/conn":          {"ipc/internal/pipe", "ipc/internal/text", "ipc/internal/wire", "protocol"},
		"ipc/internal/wire":          {"ipc/internal/text", "protocol", "protocol/rawjson"},
		"ipc/internal/proc":          {"ipc/internal/backoff", "ipc/internal/text", "protocol/rawjson"},
		"ipc/internal/backoff":       {},
		"ipc/internal/pipe":          {},
		"ipc/internal/text":          {},
		"protocol":                   {"protocol/rawjson"},
		"protocol/rawjson":           {},
		"protocol/http1":             {"protocol/serve"},
		"protocol/serve":             {"protocol"},
		"protocol/client":            {"protocol", "protocol/rawjson"},
		"protocol/lane":              {"protocol", "protocol/internal/dialect", "protocol/rawjson"},
		"protocol/schema":            {"protocol", "protocol/internal/ecma", "protocol/internal/format", "protocol/internal/jsregexp", "protocol/rawjson"},
		"protocol/ratelimit":         {"protocol"},
		"protocol/outcome":           {"protocol"},
		"protocol/compress":          {},
		"protocol/protocoltest":      {"protocol"},
		"examples/bench":             {"", "ipc", "standalone"},
		"examples/client":            {"protocol", "protocol/client"},
		"examples/ipc":               {"", "examples/internal/serve", "ipc"},
		"examples/deploy":            {"", "ipc", "protocol", "protocol/http1", "protocol/serve"},
		"examples/standalone":        {"", "examples/internal/serve", "protocol", "standalone"},
		"examples/minimal":           {"", "ipc"},
		"examples/mount":             {"", "examples/internal/serve", "ipc", "standalone"},
		"examples/runner":            {"", "examples/internal/serve", "ipc"},
		"examples/stream":            {"", "examples/internal/serve", "ipc"},
		"examples/upload":            {"", "examples/internal/serve", "ipc", "protocol/client", "standalone"},
		"examples/quickstart":        {"", "standalone"},
		"examples/hybrid":            {"", "examples/internal/serve", "ipc", "protocol", "protocol/schema", "standalone"},
		"examples/jwt":               {"", "examples/internal/serve", "protocol", "protocol/ratelimit", "standalone"},
		"examples/lanes":             {"", "ipc", "protocol/client", "protocol/lane", "standalone"},
		"examples/internal/serve":    {"", "protocol"},
		"tests/clients":              {},
		"tests/conformance":          {},
		"tests/dialects":             {},
		"tests/differential":         {},
		"tests/docs":                 {},
		"tests/front":                {},
		"tests/node":                 {},
		"tests/publish":              {},
		"tests/runner5":              {},
		"tests/runner6":              {},
		"tests/schemas":              {},
		"tests/transfer":             {},
		"tests/testapp":              {"", "ipc", "protocol", "standalone", "tests/internal/runner"},
		"tests/internal/lines":       {"tests/internal/runner"},
		"tests/internal/runner":      {},
		"tests/internal/runner6":     {"ipc", "tests/internal/runner", "tests/testapp"},
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
			if !strings.HasPrefix(pkg, "tests/") {
				assert.NotContains(t, path, "testify", "%q is no test", pkg)
			}
		}
	}
}

func local(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

// The top level is part of the design.
func TestTopLevel(t *testing.T) {
	expected := []string{"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "examples", "executor.go", "findings", "go.mod", "go.sum", "ipc", "protocol", "standalone", "tests", "tunnel.go"}
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !strings.HasSuffix(e.Name(), "_test.go") {
			assert.Contains(t, expected, e.Name())
		}
	}
}
