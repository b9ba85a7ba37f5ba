package examples

import (
	"bytes"
	"encoding/json"
	"go/version"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// stopTimeout is that of a pool, which the server of examples/deploy does not change.
const stopTimeout = 10 * time.Second

// tries runs the server with the flags of a manifest, and its application if it has one
// here, and returns how long it takes to stop at most.
func tries(t *testing.T, server, app string, flags []string) time.Duration {
	t.Helper()
	d := deploy(t, server, app, flags...)
	assert.Equal(t, http.StatusOK, status(d.admin+"/healthz"))
	assert.Equal(t, http.StatusOK, status(d.admin+"/readyz"))
	assert.Equal(t, `{"ok":true,"result":8}`, post(t, "http://"+d.origin+"/__runner/task/app.tasks.add", `{"input": {"a": 5, "b": 3}}`, "x-runner-token", "secret"))
	require.NoError(t, d.process.Signal(syscall.SIGTERM))
	d.stops(t)

	delay, drain := 5*time.Second, 15*time.Second
	for _, flag := range flags {
		for name, value := range map[string]*time.Duration{"-drain-delay=": &delay, "-drain-timeout=": &drain} {
			if text, ok := strings.CutPrefix(flag, name); ok {
				var err error
				*value, err = time.ParseDuration(text)
				require.NoError(t, err)
			}
		}
	}
	return delay + drain + stopTimeout
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(content)
}

// The commands of the Dockerfile, run here.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	dockerfile := read(t, "deploy/Dockerfile")
	find := func(expression string) string {
		match := regexp.MustCompile(`(?m)` + expression).FindStringSubmatch(dockerfile)
		require.NotNil(t, match, expression)
		return match[1]
	}
	words := func(expression string) (list []string) {
		require.NoError(t, json.Unmarshal([]byte(find(expression)), &list), "exec form")
		return list
	}
	entry := words(`^ENTRYPOINT (.*)$`)
	assert.Equal(t, "/usr/bin/tini", entry[0], "process 1 waits for what workers leave behind")
	assert.Equal(t, find(`^COPY --from=server /server (\S+)$`), entry[len(entry)-1])
	assert.NotContains(t, find(`^USER (\S+)$`), "root")

	dir := t.TempDir()
	server := filepath.Join(dir, "server")
	build := exec.Command("sh", "-c", strings.ReplaceAll(find(`^RUN (CGO_ENABLED=0 go build .*)$`), " /server ", " '"+server+"' "))
	build.Dir = ".."
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	app := filepath.Join(dir, "app")
	require.NoError(t, os.Mkdir(app, 0o700))
	for _, sources := range regexp.MustCompile(`(?m)^COPY ((?:examples/runner/\S+ )+)\./$`).FindAllStringSubmatch(dockerfile, -1) {
		for _, source := range strings.Fields(sources[1]) {
			require.NoError(t, os.WriteFile(filepath.Join(app, filepath.Base(source)), []byte(read(t, "../"+source)), 0o600))
		}
	}
	install(t, app, strings.Fields(find(`^RUN npm ci (.*)$`))...)

	d := deploy(t, server, filepath.Join(app, "app.js"))
	check := words(`^HEALTHCHECK .* CMD (.*)$`)
	assert.Equal(t, entry[len(entry)-1], check[0])
	assert.NoError(t, exec.Command(server, append(check[1:], "-admin="+strings.TrimPrefix(d.admin, "http://"))...).Run())
	tries(t, server, filepath.Join(app, "app.js"), words(`^CMD (.*)$`))
}

func TestCompose(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Build          struct{ Context, Dockerfile string }
			Ports, Secrets []string
			Environment    map[string]string
			EnvFile        []struct {
				Path     string
				Required bool
			} `yaml:"env_file"`
			ReadOnly        bool `yaml:"read_only"`
			Tmpfs           []string
			CapDrop         []string `yaml:"cap_drop"`
			SecurityOpt     []string `yaml:"security_opt"`
			MemLimit        string   `yaml:"mem_limit"`
			PidsLimit       int      `yaml:"pids_limit"`
			Restart         string
			StopGracePeriod time.Duration `yaml:"stop_grace_period"`
		}
		Secrets map[string]struct{ File string }
	}
	strict(t, []byte(read(t, "deploy/compose.yaml")), &compose)
	tunnel := compose.Services["tunnel"]
	assert.FileExists(t, filepath.Join("deploy", tunnel.Build.Context, tunnel.Build.Dockerfile))
	assert.Contains(t, compose.Secrets, tunnel.Secrets[0])
	assert.Contains(t, read(t, "deploy/Dockerfile"), "-tokens-file=/run/secrets/"+tunnel.Secrets[0])
	assert.Greater(t, tunnel.StopGracePeriod, 30*time.Second, "the defaults of the server")
}

func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	unit := read(t, "deploy/go-tunnel.service")
	command := regexp.MustCompile(`(?m)^ExecStart=(\S+) (.*)$`).FindStringSubmatch(unit)
	require.NotNil(t, command)
	needs := tries(t, build(t, "deploy"), "ipc/tasks.mjs", strings.Fields(command[2]))
	limit := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)$`).FindStringSubmatch(unit)
	require.NotNil(t, limit)
	given, err := time.ParseDuration(limit[1] + "s")
	require.NoError(t, err)
	assert.Greater(t, given, needs)

	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze")
	}
	file := filepath.Join(t.TempDir(), "go-tunnel.service")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(unit, command[1], "/bin/true")), 0o600))
	out, err := exec.Command(verify, "verify", file).CombinedOutput()
	assert.NoError(t, err)
	assert.Empty(t, string(out))
}

// strict decodes one YAML document that has no members but those of out.
func strict(t *testing.T, document []byte, out any) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(out))
	require.ErrorIs(t, decoder.Decode(new(any)), io.EOF)
}

// A repository of one's own, by the recipe in the Dockerfile: its go.mod is one for the
// image's Go, whichever Go has made it.
func TestDockerfileRecipe(t *testing.T) {
	t.Parallel()
	dockerfile := read(t, "deploy/Dockerfile")
	recipe := regexp.MustCompile(`(?m)^#   go.mod, go.sum +of (go mod init .*) && go mod tidy$`).FindStringSubmatch(dockerfile)
	require.NotNil(t, recipe)
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", recipe[1])
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	goLine := regexp.MustCompile(`(?m)^go (\S+)$`)
	made := goLine.FindStringSubmatch(read(t, filepath.Join(dir, "go.mod")))
	ours := goLine.FindStringSubmatch(read(t, "../go.mod"))
	assert.Equal(t, ours[1], made[1], "what go mod tidy would write")
	image := regexp.MustCompile(`(?m)^FROM golang:(\S+)-`).FindStringSubmatch(dockerfile)
	assert.LessOrEqual(t, version.Compare("go"+made[1], "go"+image[1]+".0"), 0, "the image's Go %s takes no go.mod of %s", image[1], made[1])
	assert.Contains(t, dockerfile, "# hadolint ignore=DL3008\nRUN apt-get update", "it wants versions of packages")
}

// Secrets lie beside compose.yaml, in the build context: they are in no image and no commit.
func TestSecretsStayOut(t *testing.T) {
	t.Parallel()
	ignored := strings.Split(read(t, "deploy/Dockerfile.dockerignore"), "\n")
	for _, name := range []string{"tokens", "app.env"} {
		assert.Contains(t, read(t, "deploy/compose.yaml"), "./"+name)
		assert.Contains(t, ignored, "**/"+name)
		out, err := exec.Command("git", "check-ignore", "deploy/"+name).CombinedOutput()
		assert.NoError(t, err, "git takes %s: %s", name, out)
	}
}
