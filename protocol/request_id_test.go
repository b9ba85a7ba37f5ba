package protocol

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const uuid = `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`

func TestRequestIDTaken(t *testing.T) {
	for _, id := range []string{"a", "A-z.0_9:", strings.Repeat("x", 128)} {
		assert.Equal(t, id, RequestID(http.Header{HeaderRequestID: {id}}))
	}
	assert.Equal(t, "id", RequestID(http.Header{HeaderRequestID: {" \tid "}}))
}

func TestRequestIDReplaced(t *testing.T) {
	bad := []string{"", " ", strings.Repeat("x", 129), "a b", "a/b", "a,b", "a\tb", "é", "a\x00", "a\r\nb", "id\"", "id;", "id\u00a0", "\vid"}
	for _, c := range "@[`{/^~!*()=+<>?|\\" { // neighbours of the letters and digits among them
		bad = append(bad, string(c))
	}
	for _, id := range bad {
		assert.Regexp(t, uuid, RequestID(http.Header{HeaderRequestID: {id}}), "%q", id)
	}
	assert.Regexp(t, uuid, RequestID(http.Header{HeaderRequestID: {"a", "a"}}), "twice")
	assert.Regexp(t, uuid, RequestID(http.Header{}), "absent")
}

func TestRequestIDsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := RequestID(nil)
		assert.Regexp(t, uuid, id)
		assert.False(t, seen[id])
		seen[id] = true
	}
}
