package ipc

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// layers are the packages below ipc and what each may import of this module. Those that are not
// named have to know nothing of each other.
var layers = map[string][]string{
	"sched":   {"backoff", "protocol"},
	"conn":    {"pipe", "text", "wire", "protocol"},
	"wire":    {"text", "protocol", "protocol/rawjson"},
	"proc":    {"backoff", "text", "protocol/rawjson"},
	"backoff": {},
	"pipe":    {},
	"text":    {},
}

// pure is all that the scheduler may import of the standard library.
var pure = []string{"container/list", "errors", "fmt", "math/rand/v2", "time"}

// Arrows between the packages point downwards on every system: build constraints hide no file
// from this test, as they do from go list.
func TestLayers(t *testing.T) {
	const module = "github.com/bluelibs/go-tunnel/"
	seen := map[string]bool{}
	parseAll(t, "internal", func(pkg string, file *ast.File) {
		seen[pkg] = true
		allowed, known := layers[pkg]
		require.True(t, known, "package %s has no layer", pkg)
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if inner, own := strings.CutPrefix(name, module); own {
				assert.Contains(t, allowed, strings.TrimPrefix(inner, "ipc/internal/"), "package %s imports it", pkg)
			} else if pkg == "sched" {
				assert.Contains(t, pure, name, "the scheduler imports it")
			}
		}
	})
	assert.Len(t, seen, len(layers))
}

// The scheduler starts no goroutine and reads no clock.
func TestSchedulerIsPure(t *testing.T) {
	parseAll(t, "internal/sched", func(_ string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Error("it starts a goroutine")
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" {
					assert.Contains(t, []string{"Time", "Duration", "Second"}, n.Sel.Name, "it uses time.%s", n.Sel.Name)
				}
			}
			return true
		})
	})
}

// parseAll calls f for each file below a folder that is no test, whatever system it is for.
func parseAll(t *testing.T, dir string, f func(pkg string, file *ast.File)) {
	t.Helper()
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return err
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err == nil {
			f(filepath.Base(filepath.Dir(name)), file)
		}
		return err
	}))
	require.NotZero(t, files)
}
