package protocol

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLimitsWithDefaults(t *testing.T) {
	for given, want := range map[int64]int64{0: 2097152, -1: 2097152, 1: 1, 1 << 30: 1 << 30} {
		assert.Equal(t, want, Limits{MaxBody: given}.WithDefaults().MaxBody, given)
	}
	assert.Equal(t, Limits{2097152, 0, 20971520, 10, 100, 1048576, 67108864, 30 * time.Second, 1000}, Limits{MaxStream: -1, MaxFiles: -1}.WithDefaults())
	given := Limits{1, 2, 3, 4, 5, 6, 7, 8, 9}
	assert.Equal(t, given, given.WithDefaults())
	assert.Equal(t, int64(10*20971520+100*1048576+212*65536), Limits{}.MaxForm())
	assert.Zero(t, Limits{MaxFileSize: math.MaxInt64}.MaxForm())
	assert.Equal(t, 1000, MaxDepth, "as in Runner's serializer")
}
