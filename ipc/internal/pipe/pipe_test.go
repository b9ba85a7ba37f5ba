package pipe

import (
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a full pipe does not take is left to the caller, and nobody waits.
func TestTryWrite(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it writes nothing there")
	}
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	n := TryWrite(w, make([]byte, 10<<20))
	assert.Positive(t, n)
	assert.Less(t, n, 10<<20)
	assert.Zero(t, TryWrite(w, make([]byte, 1)))
	if runtime.GOOS == "linux" {
		assert.EqualValues(t, n, Unread(w))
		_, err = io.CopyN(io.Discard, r, 10)
		require.NoError(t, err)
		assert.EqualValues(t, n-10, Unread(w))
	}
	require.NoError(t, w.Close())
	assert.Zero(t, TryWrite(w, []byte{1}), "closed")
	left, err := io.Copy(io.Discard, r)
	require.NoError(t, err)
	assert.Positive(t, left)
}
