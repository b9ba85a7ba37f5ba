package examples

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What ipc/node/MIGRATION.md says about examples/typescript.
const (
	typescriptCommands = `go build -C ../go-tunnel -o ../app/ipc ./examples/ipc
npm install && npm run build
./ipc -watch -worker src/app.ts -flags "--import tsx --env-file=.env --inspect=127.0.0.1:0"
curl -X POST http://127.0.0.1:7070/__runner/task/app.tasks.order -H 'x-runner-token: secret' -d '{"input": {"item": "tea"}}'
# {"ok":true,"result":{"orders":1}}
`
	typescriptServer = "RUNNER_TOKEN=secret ./server -dir ../app -module dist/app.js -- --env-file=.env"
)

// An application in TypeScript as ipc/node/MIGRATION.md says: a database, a file of variables, a
// debugger, the sources' names in stacks, and a reload.
func TestTypeScript(t *testing.T) {
	if exec.Command("node", "--eval", `require("node:sqlite")`).Run() != nil {
		t.Skip("this version of Node.js has no node:sqlite")
	}
	install(t, "typescript")
	p := project{t: t, root: t.TempDir()}
	for _, name := range []string{"node_modules", "package.json", "tsconfig.json", ".env"} {
		target, err := filepath.Abs(filepath.Join("typescript", name))
		require.NoError(t, err)
		require.NoError(t, os.Symlink(target, filepath.Join(p.root, name)))
	}
	source, err := os.ReadFile("typescript/src/app.ts")
	require.NoError(t, err)
	save := func(source string) { p.write("src/app.ts", source) }
	build := func() {
		cmd := exec.Command("npm", "run", "build")
		cmd.Dir = p.root
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	guide := regexp.MustCompile(`(?m)^\./ipc (.*) -flags "(.*)"$`).FindStringSubmatch(typescriptCommands)
	production := strings.Fields(strings.TrimPrefix(typescriptServer, "RUNNER_TOKEN=secret ./server -dir ../app "))
	for _, c := range []struct {
		name   string
		args   []string
		reload func()
	}{
		{"without a build", slices.Concat([]string{"ipc"}, strings.Fields(guide[1]), []string{"-flags", guide[2]}), func() {}},
		{"in production", slices.Concat([]string{"minimal", "-dir", "."}, production), nil},
		{"compiled", []string{"ipc", "-watch", "-worker", "dist/app.js", "-flags", "--env-file=.env --inspect=127.0.0.1:0"}, build},
	} {
		t.Run(c.name, func(t *testing.T) {
			save(string(source))
			if c.reload == nil {
				build()
			}
			server := startLogged(t, p.root, c.args[0], c.args[1:])
			order := func(item string) string {
				return post(t, server.base+"/task/app.tasks.order", `{"input":{"item":`+item+`}}`, "x-runner-token", "secret")
			}
			assert.Regexp(t, `^{"ok":true,"result":{"orders":\d+}}$`, order(`"tea"`))
			assert.FileExists(t, filepath.Join(p.root, "shop.db"), "the variable of .env")
			assert.Contains(t, order("null"), "INTERNAL_ERROR")
			server.waitFor(t, regexp.MustCompile(`NOT NULL constraint failed.*src/app\.ts:21:\d+`))
			if c.reload == nil {
				return
			}
			server.waitFor(t, regexp.MustCompile(`Debugger listening on ws://127\.0\.0\.1:\d+/`))
			save(strings.ReplaceAll(string(source), "AS orders", "AS ordered"))
			c.reload()
			require.Eventually(t, func() bool { return strings.Contains(order(`"tea"`), `"ordered":`) }, startBound, 10*time.Millisecond)
		})
	}
}

// logged is a program whose standard error is kept.
type logged struct {
	base string
	log  string
}

func (l *logged) waitFor(t *testing.T, want *regexp.Regexp) {
	t.Helper()
	var text []byte
	assert.Eventually(t, func() bool {
		var err error
		text, err = os.ReadFile(l.log)
		return err == nil && want.Match(text)
	}, startBound, 10*time.Millisecond)
	require.Regexp(t, want, string(text))
}

// startLogged builds and runs an example with the token "secret".
func startLogged(t *testing.T, dir, name string, args []string) *logged {
	t.Helper()
	l := &logged{log: filepath.Join(t.TempDir(), "log")}
	file, err := os.Create(l.log)
	require.NoError(t, err)
	cmd := exec.Command(build(t, name), append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Dir, cmd.Stderr, cmd.Env = dir, file, append(os.Environ(), "RUNNER_TOKEN=secret")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		_, _ = io.Copy(io.Discard, stdout)
		assert.NoError(t, cmd.Wait(), "a graceful stop")
		require.NoError(t, file.Close())
	})
	if name == "minimal" { // which says it on standard error
		listening := regexp.MustCompile(`listening on (\S+)`)
		l.waitFor(t, listening)
		text, err := os.ReadFile(l.log)
		require.NoError(t, err)
		l.base = "http://" + listening.FindStringSubmatch(string(text))[1] + "/__runner"
		return l
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if base, ok := strings.CutPrefix(lines.Text(), "Listening on "); ok {
			l.base = base
			return l
		}
	}
	text, _ := os.ReadFile(l.log)
	t.Fatalf("%s does not listen: %s", name, text)
	return nil
}
