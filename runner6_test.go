package tunnel_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
)

// The registry that 5.5.0 comes from has no Runner 6. What is tested with a real one needs
// a copy from elsewhere: RUNNER6 names the node_modules folder that has it.
const (
	runner6Env     = "RUNNER6"
	runner6Dir     = "testdata/runner6"
	runner6Version = "6.4.1"
)

// runner6 returns the environment in which @bluelibs/runner is 6.4.1, and skips the test
// if there is none.
func runner6(t testing.TB) []string {
	t.Helper()
	folder := os.Getenv(runner6Env)
	if folder == "" {
		t.Skipf("%s names no folder with @bluelibs/runner %s", runner6Env, runner6Version)
	}
	folder, err := filepath.Abs(folder)
	require.NoError(t, err)
	var found struct {
		Version string `json:"version"`
	}
	require.NoError(t, readJSON(filepath.Join(folder, "@bluelibs", "runner", "package.json"), &found))
	require.Equal(t, runner6Version, found.Version, "the Runner that %s names", runner6Env)
	return []string{"NODE_PATH=" + folder}
}

// runner6App is testdata/runner6/app.js as a worker. The options are those of createApp.
func runner6App(t testing.TB, options map[string]any, change ...func(*ipc.Options)) *ipc.Pool {
	env := runner6(t)
	text, err := json.Marshal(options)
	require.NoError(t, err)
	opts := ipc.Node(filepath.Join(runner6Dir, "served.js"))
	opts.Env = append(append(os.Environ(), env...), "APP="+string(text))
	opts.StartTimeout = startBound
	for _, f := range change {
		f(&opts)
	}
	return startWorker(t, opts)
}

// startError6 returns why a worker with these options does not start.
func startError6(t testing.TB, options map[string]any) error {
	env := runner6(t)
	text, err := json.Marshal(options)
	require.NoError(t, err)
	opts := ipc.Node(filepath.Join(runner6Dir, "served.js"))
	opts.Env = append(append(os.Environ(), env...), "APP="+string(text))
	opts.StartTimeout, opts.Logger = startBound, quiet
	pool, err := ipc.Start(t.Context(), opts)
	if err == nil {
		_ = pool.Close()
	}
	return err
}

// logBuffer6 hands on what is logged.
type logBuffer6 struct{ lines chan string }

func (b *logBuffer6) Write(line []byte) (int, error) {
	b.lines <- string(line)
	return len(line), nil
}

func (b *logBuffer6) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

func (b *logBuffer6) await(t testing.TB, text string) {
	t.Helper()
	(&printed{b.lines}).await(t, text)
}

// startExposure6 runs the application with the exposure of Runner 6 itself.
func startExposure6(t testing.TB, options map[string]any) string {
	env := runner6(t)
	text, err := json.Marshal(options)
	require.NoError(t, err)
	return startServer(t, nodeCommand(runner6Dir, env, "exposure.js", string(text)))
}

// laneKeys are the keys of the lanes of the application.
type laneKeys struct {
	secret    []byte
	ed, other ed25519.PrivateKey
	es        *ecdsa.PrivateKey
	rs        *rsa.PrivateKey
}

func newLaneKeys(t testing.TB) *laneKeys {
	k := &laneKeys{secret: []byte("the secret of the lanes")}
	var err error
	_, k.ed, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, k.other, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	k.es, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	k.rs, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return k
}

// options returns the keys as the application wants them.
func (k *laneKeys) options(t testing.TB) map[string]any {
	public := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		require.NoError(t, err)
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	return map[string]any{
		"secret": string(k.secret), "edPublic": public(k.ed.Public()), "edOther": public(k.other.Public()),
		"esPublic": public(&k.es.PublicKey), "rsPublic": public(&k.rs.PublicKey),
	}
}
