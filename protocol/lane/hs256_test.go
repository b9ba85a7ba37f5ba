package lane

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The measure is the library: a state that was used before must not show it.
func TestHS256(t *testing.T) {
	var running sync.WaitGroup
	defer running.Wait()
	for _, length := range []int{1, 13, 14, 63, 64, 65, 200} { // shorter and longer than a block
		key := bytes.Repeat([]byte{byte(length)}, length)
		h := newHS256(key)
		signatures := map[string][]byte{}
		for _, size := range []int{0, 1, 55, 64, 300, maxToken} {
			signed := strings.Repeat("a", size)
			signature, err := jwt.SigningMethodHS256.Sign(signed, key)
			require.NoError(t, err)
			signatures[signed] = signature
		}
		key[0]++ // the caller's own afterwards
		for range 4 {
			running.Go(func() {
				for range 20 {
					for signed, signature := range signatures {
						assert.NoError(t, h.check(signed, signature))
						assert.Error(t, h.check(signed+"a", signature))
						assert.Error(t, h.check(signed, signature[:31]))
						assert.Error(t, h.check(signed, append(signature[:31:31], signature[31]^1)))
						assert.Error(t, h.check(signed, nil))
					}
				}
			})
		}
	}
}
