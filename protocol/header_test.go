package protocol

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCombinedHeader(t *testing.T) {
	h := http.Header{"One": {"a"}, "Two": {"a", "b"}, "Empty": {""}, "Twice-Empty": {"", ""}, "None": {}}
	for name, want := range map[string]string{"One": "a", "Two": "a, b", "Empty": "", "Twice-Empty": ", ", "None": "", "Absent": ""} {
		assert.Equal(t, want, CombinedHeader(h, name), name)
	}
}
