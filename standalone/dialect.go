package standalone

import (
	"errors"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol"
)

// decode needs valid JSON (protocol.Call guarantees it): the decoder is fast because it trusts its
// input. A codec checks its input itself.
func decode[T any](codec protocol.Codec, payload []byte) (value T, err error) {
	if codec != nil {
		err = codec.Unmarshal(payload, &value)
	} else if payload != nil {
		err = json.UnmarshalOf(payload, &value)
	}
	var e *protocol.Error
	if err == nil || codec != nil && errors.As(err, &e) {
		return value, err
	}
	return value, invalidInput(err)
}

func encode[T any](codec protocol.Codec, value T) ([]byte, error) {
	if codec == nil {
		return json.MarshalOf(value, json.DisableHTMLEscape())
	}
	return codec.Marshal(value)
}
