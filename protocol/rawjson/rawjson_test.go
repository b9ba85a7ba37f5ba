package rawjson

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckAcceptsAndRefusesWhatJSONDoes(t *testing.T) {
	documents := []string{
		``, ` `, `null`, `true`, `false`, `nul`, `truee`, `0`, `-0`, `01`, `-`, `1.`, `.5`, `1.5`, `1e`, `1e5`, `1E+5`, `1e-05`, `+1`,
		`NaN`, `Infinity`, `"a"`, `"a`, `'a'`, "\"\t\"", "\"\x00\"", `"\u12"`, `"\u12g4"`, `"\uD800"`, `"\x"`, `"\"`, `"\\"`, `"\u00`,
		`[]`, `[ ]`, `[1,]`, `[,1]`, `[1 2]`, `[1,2`, `]`, `[1]]`, `{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `{"a":}`,
		`{"a":1 "b":2}`, `{"a":1`, `{"a`, `{"a\`, `{"a\u`, `}`, `{}{}`, `1 2`, `// c`, `/* c */1`, "\ufeff1", "\xff\xfe1\x00", "1\x00",
		" \t\r\n1 \t\r\n", "\u00a01", `"` + "\xff" + `"`, "\"\u2028\"", `{"a":[{"b":[null,true,{"c":-1.5e3}]}],"d":"\"\\\/\b\f\n\r\t\u0041"}`,
		`"12345678"`, `"1234567`, `"123456\"8"`, `"1234567\"9012345678"`, "\"1234567890\x1f\"", "\"é1234567\"", "\"\x7f1234567\"",
	}
	for _, doc := range documents {
		err := Check([]byte(doc), 1000)
		assert.Equal(t, json.Valid([]byte(doc)), err == nil, "%q: %v", doc, err)
	}
}

func TestSyntaxErrorOffset(t *testing.T) {
	for doc, offset := range map[string]int{`{"a":x}`: 5, `[1,2`: 4, ``: 0, `1 2`: 2, `"abcdefghi` + "\n\"": 10, `{"a\`: 4} {
		var syntax *SyntaxError
		require.ErrorAs(t, Check([]byte(doc), 10), &syntax, doc)
		assert.Equal(t, offset, syntax.Offset, doc)
	}
}

func TestDepth(t *testing.T) {
	nested := func(open, inner, end string, n int) []byte {
		return []byte(strings.Repeat(open, n) + inner + strings.Repeat(end, n))
	}
	assert.NoError(t, Check([]byte(`1`), 0))
	assert.NoError(t, Check([]byte(`[]`), 0))
	assert.ErrorIs(t, Check([]byte(`[1]`), 0), ErrDepth)
	assert.NoError(t, Check(nested(`[`, ``, `]`, 1001), 1000))
	assert.ErrorIs(t, Check(nested(`[`, `1`, `]`, 1001), 1000), ErrDepth)
	assert.ErrorIs(t, Check(nested(`{"a":`, `1`, `}`, 1001), 1000), ErrDepth)
	assert.ErrorIs(t, Check(nested(`[`, ``, ``, 5_000_000), 1000), ErrDepth, "a hostile document costs no stack")
}

func TestMembers(t *testing.T) {
	var got []string
	collect := func(name, value []byte) { got = append(got, string(name)+"="+string(value)) }
	require.NoError(t, Members([]byte(` { "a" : [ 1 , {"b":2} ] , "b":"x", "a": null ,"in\u0070ut":{}} `), 1000, collect))
	assert.Equal(t, []string{`a=[ 1 , {"b":2} ]`, `b="x"`, `a=null`, `input={}`}, got, "only the root's, in order, names decoded")

	got = nil
	require.NoError(t, Members([]byte(`[{"a":1}]`), 1000, collect))
	assert.Empty(t, got, "the root is not an object")
	require.Error(t, Members([]byte(`{"a":1} x`), 1000, collect))
}

func TestAnyName(t *testing.T) {
	for _, c := range []struct {
		doc, stop string
		asked     []string
		found     bool
		err       error
	}{
		{` {"a":[{"b":"c"},{"\u0064":{"":1}}]} `, "", []string{`"a"`, `"b"`, `"\u0064"`, `""`}, false, nil},
		{`{"a":{"b":1},"c":2}`, `"b"`, []string{`"a"`, `"b"`}, true, nil},
		{`["a"]`, `"a"`, nil, false, nil},
		{`{"a":[[[[1]]]]}`, `"a"`, []string{`"a"`}, false, ErrDepth},
		{`{"a":}`, `"a"`, []string{`"a"`}, false, &SyntaxError{Offset: 5}},
	} {
		var asked []string
		found, err := AnyName([]byte(c.doc), 4, func(quoted []byte) bool {
			asked = append(asked, string(quoted))
			return string(quoted) == c.stop
		})
		assert.Equal(t, c.found, found, c.doc)
		assert.Equal(t, c.err, err, c.doc)
		assert.Equal(t, c.asked, asked, c.doc)
	}
}

func TestMembersValueCannotBeGrownIntoItsNeighbour(t *testing.T) {
	data := []byte(`{"a":1,"b":2}`)
	require.NoError(t, Members(data, 10, func(_, value []byte) { _ = append(value, "overwritten"...) }))
	assert.Equal(t, `{"a":1,"b":2}`, string(data))
}

func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{"input":1}`, `{"a\`, `{"a\u00`, `[[[[]]]]`, `"é\ud800"`, `{"a":{"b":[1,2,{"c":"d"}]},"a":2}`, `-1.5e+7`, "{\"\u2028\":\"12345678\\\"\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const depth = 50
		type member struct{ name, value string }
		var members []member
		err := Members(data, depth, func(name, value []byte) {
			members = append(members, member{string(name), string(value)})
		})
		if errors.Is(err, ErrDepth) {
			return
		}
		if valid := json.Valid(data); valid != (err == nil) {
			t.Fatalf("encoding/json says valid=%v, Members says %v", valid, err)
		}
		if err != nil {
			return
		}
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil || object == nil {
			if len(members) != 0 {
				t.Fatalf("members of what is no object: %q", members)
			}
			return
		}
		last := map[string]string{}
		for _, m := range members {
			last[string(replaceInvalid(m.name))] = m.value
		}
		if len(last) != len(object) {
			t.Fatalf("found %q, encoding/json %q", last, object)
		}
		for name, value := range object {
			if last[name] != string(value) {
				t.Fatalf("member %q: found %q, encoding/json %q", name, last[name], value)
			}
		}
	})
}

// replaceInvalid does to a name what encoding/json does: each invalid byte becomes U+FFFD.
func replaceInvalid(name string) []rune { return []rune(name) }

func BenchmarkCheck(b *testing.B) {
	small := []byte(`{"input":{"a":5,"b":3}}`)
	large := []byte(`{"input":[` + strings.Repeat(`{"name":"somebody with a name","tags":["one","two"],"age":42.5},`, 200) + `null]}`)
	for name, doc := range map[string][]byte{"small": small, "large": large} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if Members(doc, 1000, func(_, _ []byte) {}) != nil {
					b.Fatal("invalid")
				}
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if !json.Valid(doc) {
					b.Fatal("invalid")
				}
			}
		})
	}
}
