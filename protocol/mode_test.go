package protocol

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBodyModeOf(t *testing.T) {
	for contentType, want := range map[string]BodyMode{
		"":                                                BodyJSON,
		"application/json":                                BodyJSON,
		"text/plain":                                      BodyJSON,
		"; /":                                             BodyJSON,
		"multipart/mixed; boundary=x":                     BodyJSON,
		"multipart/form-data":                             BodyMultipart,
		"multipart/form-data; boundary=x":                 BodyMultipart,
		"MultiPart/Form-Data;boundary=x":                  BodyMultipart,
		"text/plain, multipart/form-data":                 BodyMultipart,
		"xmultipart/form-datax":                           BodyMultipart,
		"application/octet-stream":                        BodyStream,
		"APPLICATION/Octet-Stream":                        BodyStream,
		"application/octet-stream;x=y":                    BodyStream,
		"application/octet-stream ;x=y":                   BodyJSON,
		"application/octet-streams":                       BodyJSON,
		"x application/octet-stream":                      BodyJSON,
		"application/octet-stream, x":                     BodyJSON,
		"application/octet-stream; a=multipart/form-data": BodyMultipart,
	} {
		assert.Equal(t, want, BodyModeOf(http.Header{"Content-Type": {contentType}}), "%q", contentType)
	}
	assert.Equal(t, BodyJSON, BodyModeOf(nil))
	assert.Equal(t, BodyStream, BodyModeOf(http.Header{"Content-Type": {"application/octet-stream", "multipart/form-data"}}), "the first counts")
}
