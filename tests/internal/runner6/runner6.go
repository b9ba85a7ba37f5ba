// Package runner6 starts the test application of Runner 6.4.1.
package runner6

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-json"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/tests/internal/runner"
	"github.com/bluelibs/go-tunnel/tests/testapp"
)

// The registry that 5.5.0 comes from has no Runner 6. What is tested with a real one needs
// a copy from elsewhere: RUNNER6 names the node_modules folder that has it.
const (
	runner6Env     = "RUNNER6"
	runner6Version = "6.4.1"
)

// Dir is the folder of its programs.
var Dir = runner.Testdata("runner6")

// Env returns the environment in which @bluelibs/runner is 6.4.1, and skips the test
// if there is none.
func Env(t testing.TB) []string {
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
	require.NoError(t, runner.ReadJSON(filepath.Join(folder, "@bluelibs", "runner", "package.json"), &found))
	require.Equal(t, runner6Version, found.Version, "the Runner that %s names", runner6Env)
	return []string{"NODE_PATH=" + folder}
}

// App is testdata/runner6/app.js as a worker. The options are those of createApp.
func App(t testing.TB, options map[string]any, change ...func(*ipc.Options)) *ipc.Pool {
	env := Env(t)
	text, err := json.Marshal(options)
	require.NoError(t, err)
	opts := ipc.Node(filepath.Join(Dir, "served.js"))
	opts.Env = append(append(os.Environ(), env...), "APP="+string(text))
	opts.StartTimeout = runner.StartBound
	for _, f := range change {
		f(&opts)
	}
	return testapp.StartWorker(t, opts)
}

// StartError returns why a worker with these options does not start.
func StartError(t testing.TB, options map[string]any) error {
	env := Env(t)
	text, err := json.Marshal(options)
	require.NoError(t, err)
	opts := ipc.Node(filepath.Join(Dir, "served.js"))
	opts.Env = append(append(os.Environ(), env...), "APP="+string(text))
	opts.StartTimeout, opts.Logger = runner.StartBound, testapp.Quiet
	pool, err := ipc.Start(t.Context(), opts)
	if err == nil {
		_ = pool.Close()
	}
	return err
}

// StartExposure runs the application with the exposure of Runner 6 itself.
func StartExposure(t testing.TB, options map[string]any) string {
	env := Env(t)
	text, err := json.Marshal(options)
	require.NoError(t, err)
	return runner.StartServer(t, runner.Command(Dir, env, "exposure.js", string(text)))
}

// Keys are the keys of the lanes of the application.
type Keys struct {
	Secret    []byte
	Ed, Other ed25519.PrivateKey
	Es        *ecdsa.PrivateKey
	Rs        *rsa.PrivateKey
}

// NewKeys returns new keys.
func NewKeys(t testing.TB) *Keys {
	k := &Keys{Secret: []byte("the secret of the lanes")}
	var err error
	_, k.Ed, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, k.Other, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	k.Es, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	k.Rs, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return k
}

// Options returns the keys as the application wants them.
func (k *Keys) Options(t testing.TB) map[string]any {
	public := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		require.NoError(t, err)
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	return map[string]any{
		"secret": string(k.Secret), "edPublic": public(k.Ed.Public()), "edOther": public(k.Other.Public()),
		"esPublic": public(&k.Es.PublicKey), "rsPublic": public(&k.Rs.PublicKey),
	}
}

// Private returns the keys to sign with, as the script wants them.
func (k *Keys) Private(t testing.TB) map[string]string {
	text := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	return map[string]string{"secret": string(k.Secret), "ed": text(k.Ed), "es": text(k.Es), "rs": text(k.Rs)}
}
