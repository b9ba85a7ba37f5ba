package client

import (
	"errors"
	"fmt"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// plainJSON is the default codec.
type plainJSON struct{}

func (plainJSON) Marshal(v any) ([]byte, error) {
	return json.MarshalWithOption(v, json.DisableHTMLEscape())
}

func (plainJSON) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// encode returns v as a value of the wire. It checks the output of a codec, and a json.RawMessage,
// so that they cannot break the envelope around them.
func (c *Client) encode(v any) ([]byte, error) {
	if v == nil {
		return []byte(protocol.Undefined), nil
	}
	value, err := c.codec.Marshal(v)
	if err == nil {
		err = rawjson.Check(value, protocol.MaxDepth-1) // the envelope adds a level
	}
	if err != nil {
		return nil, fmt.Errorf("encode: %w", opaque(err))
	}
	return value, nil
}

// opaque returns an error of a codec, but not as a *protocol.Error, which would mean that it comes
// from the server.
func opaque(err error) error {
	var e *protocol.Error
	if errors.As(err, &e) {
		return errors.New(err.Error())
	}
	return err
}
