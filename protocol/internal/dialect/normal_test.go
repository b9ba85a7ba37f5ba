package dialect

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNormal(t *testing.T) {
	for data, want := range map[string]string{
		" null ": "null", "true": "true", "[ ]": "[]", "{ }": "{}", `{ "a" : [ 1 , "b" ] }`: `{"a":[1,"b"]}`,
		"[1.0,1e2,-0,0.10,1E21,1e-7,123456789012345678901]":                "[1,100,0,0.1,1e+21,1e-7,123456789012345680000]",
		`"\u0041\/\u00e9\u2028\u0001\t"`:                                   "\"A/é\u2028\\u0001\\t\"",
		`{"b":1,"10":2,"9":3,"01":4,"4294967295":5,"4294967294":6,"-1":7}`: `{"9":3,"10":2,"4294967294":6,"b":1,"01":4,"4294967295":5,"-1":7}`,
		`{"a":1,"b":2,"a":3}`:                                              `{"a":3,"b":2}`,
		`{"":1}`:                                                           `{"":1}`,
	} {
		got, ok := Normal([]byte(data))
		assert.True(t, ok, data)
		assert.Equal(t, want, string(got), data)
	}
	for _, data := range []string{"1e999", "[-1e999]", `"\ud800"`, `{"\uDC00":1}`, strings.Repeat("[", 2000) + strings.Repeat("]", 2000)} {
		_, ok := Normal([]byte(data))
		assert.False(t, ok, data)
	}
}

func TestSpecial(t *testing.T) {
	for data, want := range map[string]bool{
		"1": false, `{"a":{"b":["__type"]}}`: false, `{"type":1}`: false,
		`{"__type":1}`: true, `[{"a":{"__graph":1}}]`: true, `{"__proto__":1}`: true, `{"constructor":1}`: true, `{"prototype":1}`: true,
		`{"$runner.escape::a":1}`: true, `{"\u0061":1}`: true, `{"a":"\u0061"}`: false, "{": true,
	} {
		assert.Equal(t, want, Special([]byte(data)), data)
	}
}
