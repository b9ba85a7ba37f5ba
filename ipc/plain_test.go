package ipc

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A worker on the plain wire learns whose call it is if an option says so, and otherwise
// not.
func TestPlainContext(t *testing.T) {
	const program = `require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, requestId, identity } = JSON.parse(line);
  console.log(JSON.stringify({ id, ok: true, result: [requestId, identity] }));
});`
	call := task("a", "")
	call.RequestID, call.Identity = "r1", map[string]any{"user": "ada"}
	for with, want := range map[bool]string{true: `["r1",{"user":"ada"}]`, false: `[null,null]`} {
		pool := start(t, Options{Command: []string{"node", "--eval", program}, Wire: PlainWire, PlainContext: with})
		requireValue(t, want, pool, call)
	}
	pool := start(t, Options{Command: []string{"node", "--eval", program}, Wire: PlainWire, PlainContext: true})
	requireValue(t, `["",null]`, pool, task("a", ""))
	call.Identity = func() {} // which has no JSON
	_, err := pool.Execute(t.Context(), call)
	assert.ErrorContains(t, err, "identity")
}
