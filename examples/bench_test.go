package examples

import (
	"encoding/xml"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The benchmark says nothing here about speed, but all of it must run.
func TestBench(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it needs /proc")
	}
	t.Run("without packages", func(t *testing.T) {
		report := runBench(t, "node,ipc-module,small-64,cpu-1,cpu-2")
		assertRow(t, report, "Small JSON, connections: 64", "bare node:http")
		assertRow(t, report, "Small JSON, connections: 64", "go-tunnel, task module")
		assertRow(t, report, "A CPU-bound task, workers: 2, connections: 8", "go-tunnel, task module")
		assert.Regexp(t, `(?m)^\| 6 \| go-tunnel, task module: CPU-bound, two workers / one \| ≥ 1.70 \| [0-9.]+ \| .*met.* \|$`, report)
		assert.Regexp(t, `(?m)^\| 1 .* \| – \| not measured \|$`, report)
		assert.NotContains(t, report, "fastify |")
	})
	t.Run("all", func(t *testing.T) {
		install(t, "bench")
		report := runBench(t, "small-1,upload")
		for _, title := range []string{"Runner 5.5.0, its own exposure", "go-tunnel, Runner application", "bare node:http", "fastify", "go-tunnel, task module", "go-tunnel, tasks in Go", "bare net/http, the limit"} {
			assertRow(t, report, "Small JSON, connections: 1", title)
			assertRow(t, report, "An upload of 64 MiB, connections: 1", title)
		}
	})
}

func runBench(t *testing.T, only string) string {
	t.Helper()
	dir := t.TempDir()
	table, image := filepath.Join(dir, "table.md"), filepath.Join(dir, "chart.svg")
	out, err := exec.Command(build(t, "bench"), "-dir", "bench", "-rounds", "1", "-duration", "100ms", "-only", only, "-results", table, "-chart", image).CombinedOutput()
	require.NoError(t, err, string(out))
	report, err := os.ReadFile(table)
	require.NoError(t, err)
	assert.Contains(t, string(out), string(report), "it is printed, too")
	assert.NotContains(t, string(report), "Something went wrong")

	chart, err := os.Open(image)
	require.NoError(t, err)
	defer chart.Close()
	drawn := 0
	for in := xml.NewDecoder(chart); ; {
		token, err := in.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "rect" {
			drawn++
		}
	}
	assert.Positive(t, drawn)
	return string(report)
}

// assertRow looks for a contender's row under a heading, with calls that were answered, and none
// that failed.
func assertRow(t *testing.T, report, heading, contender string) {
	t.Helper()
	number := `(–|[0-9.]+)`
	row := `(?m)^## ` + regexp.QuoteMeta(heading) + `\n\n(?:\|.*\n)*\| ` + regexp.QuoteMeta(contender) + ` \| [0-9.]*[1-9][0-9.]* \| 0 % (\| ` + number + ` ){9}\| 0 \|$`
	assert.True(t, regexp.MustCompile(row).MatchString(report), "%s: %s", heading, contender)
}
