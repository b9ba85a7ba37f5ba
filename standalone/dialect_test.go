package standalone_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/ejson"
	"github.com/bluelibs/go-tunnel/protocol/serializer"
	"github.com/bluelibs/go-tunnel/standalone"
)

func TestCodec(t *testing.T) {
	type meeting struct {
		At time.Time `json:"at"`
	}
	for _, c := range []struct {
		codec            protocol.Codec
		in, out, nothing string
		broken, unfit    string
	}{
		{new(serializer.Codec), `{"at":{"__type":"Date","value":0}}`, `{"at":{"__type":"Date","value":"1970-01-01T01:00:00.000Z"}}`,
			`{"__type":"Undefined","value":null}`, `{"at":{"__type":"Dat","value":0}}`, `{"at":{"__type":"Set","value":[]}}`},
		{new(ejson.Codec), `{"at":{"$date":0}}`, `{"at":{"$date":3600000}}`, `null`, `{"at":{"$type":"x","$value":0}}`, `{"at":{"$InfNaN":0}}`},
	} {
		r := &standalone.Registry{Codec: c.codec}
		standalone.Task(r, "later", func(_ context.Context, in meeting) (meeting, error) {
			return meeting{in.At.Add(time.Hour)}, nil
		})
		standalone.Task(r, "any", func(_ context.Context, in any) (any, error) { return in, nil })
		standalone.Event(r, "event", func(_ context.Context, in meeting) error { return nil })

		reply, err := execute(r, "later", c.in)
		require.NoError(t, err)
		assert.Equal(t, c.out, string(reply.Value))
		reply, err = execute(r, "any", "")
		require.NoError(t, err)
		assert.Equal(t, c.nothing, string(reply.Value), "no input")

		for payload, want := range map[string]struct {
			code    protocol.Code
			message string
		}{
			c.broken:        {protocol.CodeInvalidJSON, ""},
			c.unfit:         {protocol.CodeInvalidInput, map[bool]string{true: "Invalid input: unexpected Set at at", false: "Invalid input: unexpected InfNaN at at"}[c.nothing != "null"]},
			`{"at":[1]}`:    {protocol.CodeInvalidInput, "Invalid input: unexpected array at at"},
			`{"at":"noon"}`: {protocol.CodeInvalidInput, ""},
		} {
			_, taskErr := execute(r, "later", payload)
			_, eventErr := r.Execute(t.Context(), &protocol.Call{Kind: protocol.KindEvent, ID: "event", Payload: []byte(payload)})
			for _, err := range []error{taskErr, eventErr} {
				var e *protocol.Error
				require.True(t, errors.As(err, &e), payload)
				assert.Equal(t, want.code, e.Code, payload)
				assert.Equal(t, want.message, e.Message, payload)
			}
		}
	}
}
