// Package text reads text from programs that cannot be trusted to write it well: lines of
// any length, bytes that are no UTF-8, strings in JSON.
package text

import (
	"bytes"
	"unicode/utf8"

	"github.com/goccy/go-json"
)

// ValidUTF8 returns s with U+FFFD in place of bytes that are no UTF-8.
func ValidUTF8(s []byte) []byte {
	if utf8.Valid(s) {
		return s
	}
	return bytes.ToValidUTF8(s, []byte("\uFFFD"))
}

// Unquote returns the value of a valid JSON string, and "" for every other JSON value.
func Unquote(value []byte) string {
	var s string
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}
