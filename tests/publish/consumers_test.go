package publish

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// packages returns the packages of a module that others can import, and its programs.
func packages(t *testing.T, s site, folder string) (libraries, programs []string) {
	t.Helper()
	list := s.goIn(filepath.Join(s.sources, filepath.FromSlash(folder)), "list", "-f", "{{.Name}} {{.ImportPath}} {{len .GoFiles}}", "./...")
	list.Env = append(list.Env, "GOWORK="+filepath.Join(s.sources, ".ci", "go.work"))
	out, err := list.Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		switch {
		case fields[2] == "0" || strings.Contains(fields[1], "/internal/") || strings.HasPrefix(fields[1], rootModule+"/tests/"):
		case fields[0] == "main":
			programs = append(programs, fields[1])
		default:
			libraries = append(libraries, fields[1])
		}
	}
	return libraries, programs
}

// Somebody with nothing but the publication imports every package of every module, and
// gets every program by go install.
func TestConsumers(t *testing.T) {
	s := publication(t)
	tag, err := version()
	require.NoError(t, err)
	for _, folder := range modules {
		t.Run(folder, func(t *testing.T) {
			libraries, programs := packages(t, s, folder)
			assert.NotEmpty(t, append(libraries, programs...))
			if len(libraries) > 0 {
				dir := consumer(t, s, libraries...)
				if folder == "examples/frameworks" && os.Getenv("PUBLISH") == "" {
					s.run(t, dir, "list", "-deps", ".") // all is there; to build it takes minutes
				} else {
					s.run(t, dir, "build", "-o", os.DevNull, ".")
				}
				assert.Contains(t, s.run(t, dir, "list", "-m", modulePath(folder)), tag)
			}
			if len(programs) > 0 {
				bin := t.TempDir()
				install := s.goIn(t.TempDir(), "install", "-ldflags=-s -w")
				for _, program := range programs {
					install.Args = append(install.Args, program+"@"+tag)
				}
				install.Env = append(install.Env, "GOBIN="+bin)
				out, err := install.CombinedOutput()
				require.NoError(t, err, string(out))
				for _, program := range programs {
					_, err := exec.LookPath(filepath.Join(bin, filepath.Base(program)))
					assert.NoError(t, err, program)
				}
			}
		})
	}
}
