package ejson_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/ejson"
)

// FuzzUnmarshal looks for panics, for what is read and cannot be written, and for what
// is not read alike again.
func FuzzUnmarshal(f *testing.F) {
	for _, g := range goldens(f) {
		if len(g.Wire) < 2000 {
			f.Add([]byte(g.Wire))
		}
	}
	c := newCodec()
	f.Fuzz(func(t *testing.T, data []byte) {
		var value any
		if err := c.Unmarshal(data, &value); err != nil {
			var e *protocol.Error
			require.True(t, errors.As(err, &e), "%v", err)
			return
		}
		text, err := c.Marshal(value)
		require.NoError(t, err)
		var again any
		require.NoError(t, c.Unmarshal(text, &again), "%s", text)
		second, err := c.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(text), string(second))

		for _, target := range []any{new(fields), new([]point), new([]byte), new(ejson.RegExp)} {
			_ = c.Unmarshal(data, target)
		}
		var named map[string]fields
		if c.Unmarshal(data, &named) == nil {
			_, _ = c.Marshal(named)
		}
	})
}
