package protocol

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const uuid = `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`

func TestCombinedHeader(t *testing.T) {
	h := http.Header{"One": {"a"}, "Two": {"a", "b"}, "Empty": {""}, "Twice-Empty": {"", ""}, "None": {}}
	for name, want := range map[string]string{"One": "a", "Two": "a, b", "Empty": "", "Twice-Empty": ", ", "None": "", "Absent": ""} {
		assert.Equal(t, want, CombinedHeader(h, name), name)
	}
}

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

func TestSharedHeaderValuesCannotBeGrown(t *testing.T) {
	first, second := http.Header{}, http.Header{}
	SetSecurityHeaders(first)
	first.Add("X-Frame-Options", "spoilt")
	SetSecurityHeaders(second)
	second.Add("X-Frame-Options", "other")
	assert.Equal(t, []string{"DENY", "spoilt"}, first["X-Frame-Options"])
	assert.Equal(t, []string{"DENY", "other"}, second["X-Frame-Options"])
	assert.Equal(t, []string{"nosniff"}, first["X-Content-Type-Options"])
}
