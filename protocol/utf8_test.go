package protocol

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReplaceInvalidUTF8(t *testing.T) {
	const r = "\ufffd"
	for given, want := range map[string]string{
		"\xff":                             r,
		"a\xffb":                           "a" + r + "b",
		"\x80\x80":                         r + r,
		"\xc3":                             r,
		"\xc3A":                            r + "A",
		"\xe2\x82":                         r,
		"\xe2\x82A":                        r + "A",
		"\xe2A":                            r + "A",
		"\xf0\x9f\x98":                     r,
		"\xf0\x9f\x98A":                    r + "A",
		"\xf0\x9f\xf0\x9f\x98\x80":         r + "😀",
		"\xc0\xaf":                         r + r,
		"\xe0\x80\xaf":                     r + r + r,
		"\xe0\x9f\x80":                     r + r + r,
		"\xed\xa0\x80":                     r + r + r,
		"\xed\xa0\xbd\xed\xb8\x80":         strings.Repeat(r, 6),
		"\xf0\x8f\x80\x80":                 strings.Repeat(r, 4),
		"\xf4\x90\x80\x80":                 strings.Repeat(r, 4),
		"\xf8\x88\x80\x80\x80":             strings.Repeat(r, 5),
		"\xef\xbf\xbd":                     r,
		"\xf4\x8f\xbf\xbf\xff\xe2\x80\xa8": "\U0010ffff" + r + "\u2028",
	} {
		assert.Equal(t, want, string(replaceInvalidUTF8([]byte(given))), "%q", given)
	}
}
