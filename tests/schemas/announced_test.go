package schemas_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/protocol/schema"
	"github.com/bluelibs/go-tunnel/tests/testapp"

	tunnel "github.com/bluelibs/go-tunnel"
)

const announcingModule = `
export const schemas = {
  "app.double": { type: "number", maximum: 10 },
  "app.said": { type: "object", required: ["text"] },
};
export const tasks = {
  "app.double": (n) => 2 * n,
  "app.exit": () => process.exit(),
};
export const events = { "app.said": () => {} };
`

func startAnnouncing(t *testing.T, file string) (http.Handler, *schema.Announced, error) {
	t.Helper()
	var announced schema.Announced
	opts := ipc.Node(file)
	opts.Logger = testapp.Quiet
	opts.OnSchemas = announced.Update
	pool, err := ipc.Start(t.Context(), opts)
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(func() { _ = pool.Close() })
	return tunnel.New(pool, tunnel.Config{
		Tokens:     []string{"secret"},
		Middleware: []tunnel.Middleware{tunnel.Check(announced.Check)},
		Schemas:    announced.Schemas,
		Logger:     testapp.Quiet,
	}), &announced, nil
}

func TestAnnouncedSchemas(t *testing.T) {
	file := testapp.WriteModule(t, announcingModule)
	handler, _, err := startAnnouncing(t, file)
	require.NoError(t, err)
	status := func(path, body string) int { return testapp.Send(t, handler, path, body).Code }
	assert.Equal(t, http.StatusOK, status("/task/app.double", `5`))
	assert.Equal(t, http.StatusBadRequest, status("/task/app.double", `50`))
	assert.Equal(t, http.StatusOK, status("/event/app.said", `{"payload":{"text":"hi"}}`))
	assert.Equal(t, http.StatusBadRequest, status("/event/app.said", `{"payload":{}}`))
	assert.Contains(t, testapp.Send(t, handler, "/discovery", "").Body.String(),
		`"schemas":{"tasks":{"app.double":{"type":"number","maximum":10}},"events":{"app.said":{"type":"object","required":["text"]}}}`)

	// The next worker announces others.
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(announcingModule, "maximum: 10", "maximum: 100")), 0o600))
	assert.Equal(t, http.StatusBadGateway, status("/task/app.exit", ""))
	require.Eventually(t, func() bool { return status("/task/app.double", `50`) == http.StatusOK }, 30*time.Second, time.Millisecond)
	assert.Equal(t, http.StatusBadRequest, status("/task/app.double", `500`))
}

func TestAnnouncedSchemasThatDoNotCompile(t *testing.T) {
	for schemas, want := range map[string]string{
		`{ type: "objct" }`:                       `schema of task "app.double": /type matches none of the alternatives; /type must be array`,
		`{ properties: { a: { minimum: "1" } } }`: `schema of task "app.double": /properties/a/minimum must be number, is string`,
		`{ $ref: "other.json" }`:                  `schema of task "app.double", at /$ref: refers to `,
		`5`:                                       `schema of task "app.double": the document must be boolean or object`,
	} {
		_, _, err := startAnnouncing(t, testapp.WriteModule(t, strings.ReplaceAll(announcingModule, `{ type: "number", maximum: 10 }`, schemas)))
		assert.ErrorContains(t, err, want)
	}
}

// A worker may announce again. What does not compile then changes nothing.
func TestSchemasAnnouncedAgain(t *testing.T) {
	library, err := filepath.Abs("../../ipc/node/lib/listener.js")
	require.NoError(t, err)
	handler, announced, err := startAnnouncing(t, testapp.WriteModule(t, `
import { createRequire } from "node:module";
const { createWorkerListener } = createRequire(import.meta.url)("`+filepath.ToSlash(library)+`");
const schemas = { "app.n": { type: "number" } };
const worker = createWorkerListener({
  schemas,
  tasks: { "app.n": (n) => n, "app.change": (schema) => { schemas["app.n"] = schema; worker.announce(); } },
});
`))
	require.NoError(t, err)
	status := func(path, body string) int { return testapp.Send(t, handler, path, body).Code }
	assert.Equal(t, http.StatusBadRequest, status("/task/app.n", `"x"`))
	assert.Equal(t, http.StatusOK, status("/task/app.change", `{"input":{"type":"string"}}`))
	assert.Equal(t, http.StatusOK, status("/task/app.n", `"x"`))
	assert.Equal(t, http.StatusOK, status("/task/app.change", `{"input":{"type":7}}`))
	assert.Equal(t, http.StatusOK, status("/task/app.n", `"x"`))
	assert.JSONEq(t, `{"type":"string"}`, string(announced.Schemas().Tasks["app.n"]))
}
