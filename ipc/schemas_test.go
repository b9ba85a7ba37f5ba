package ipc

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

func TestStartFailsOverSchemas(t *testing.T) {
	errSchema := errors.New("schema of task x: wrong")
	pool, err := Start(t.Context(), Options{
		Command: []string{os.Args[0]},
		Env:     append(os.Environ(), "IPC_TEST_WORKER=framed: polite"),
		Logger:  discard,
		OnSchemas: func(schemas protocol.Schemas) error {
			assert.Empty(t, schemas.Tasks, "it announces none, and that is told")
			return errSchema
		},
	})
	require.Nil(t, pool)
	require.ErrorIs(t, err, errSchema)
	assert.NotContains(t, err.Error(), "Options.Wire")
}
