package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/bluelibs/go-tunnel/protocol"
)

var documents = []string{
	``, ` `, `null`, ` true `, `false`, `0`, `-0.0`, `1e5`, `1E+400`, `12345678901234567890.12345678901234567890`,
	`""`, `"a\"\\\/\b\f\n\r\té\ud83d\ude00"`, `"\ud800"`, `"日本"`, `"\\"`, "\"\xff\"",
	`[]`, `[ ]`, `[1,"a",[null]]`, ` [ 1 , { "a" : [ ] , "b" : { } } ] `, `{}`, `{ }`, `{"a":{"b":[1,2,{"c":null}]},"":0}`,
	`{"a":1,"a":2}`, `{"A":1,"a":2}`, `{"a":1} x`, `[1,]`, `{"a"}`, `[`, `{"a":1`, `"`, `1e`, `nul`, `{"__proto__":1}`,
	`{"__type":"Date","value":0}`, `{"__type":"Date","value":0,"x":1}`, `{"__graph":true}`, `[{"__graph":true}]`,
	`{"$runner.escape::a":1}`, `{"$runner.escape::__type":1}`, `1e1000`, strings.Repeat("[", 1001) + strings.Repeat("]", 1001),
}

// What is decoded is what encoding/json reads, and the rest is refused.
func checkDecode(t *testing.T, document []byte) {
	got, err := decode(document, reading{exact: true, proto: true})
	if err != nil {
		assert.ErrorAs(t, err, new(Issue))
		assert.LessOrEqual(t, len(err.Error()), 2*maxText+2)
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var want any
	if assert.NoError(t, decoder.Decode(&want)) && bytes.Equal(document, bytes.ToValidUTF8(document, nil)) {
		assert.Equal(t, want, got.value)
	}
}

func TestDecodeReadsWhatOthersRead(t *testing.T) {
	for _, document := range documents {
		checkDecode(t, []byte(document))
	}
	for _, document := range documents {
		_, err := decode([]byte(document), reading{exact: true, proto: true})
		var issue Issue
		known := errors.As(err, &issue) && issue.Reason != "is not valid JSON"
		assert.Equal(t, json.Valid([]byte(document)), err == nil || known, document)
	}
}

func FuzzDecode(f *testing.F) {
	for _, document := range documents {
		f.Add([]byte(document))
	}
	f.Fuzz(checkDecode)
}

// Whatever is sent, a check ends with issues or without.
func FuzzCheck(f *testing.F) {
	set, err := Compile(Sources{Tasks: map[string]any{"a": []byte(`{
		"type":["object","array","null","string"],"additionalProperties":{"$ref":"#"},"propertyNames":{"maxLength":9,"pattern":"^(?!x)"},
		"items":{"anyOf":[{"$ref":"#"},{"type":"integer","minimum":-5,"multipleOf":3},{"const":0.5}]},"uniqueItems":true,
		"contains":{"enum":[3,{"a":[1]}]},"minContains":0,"maxContains":2,"format":"date-time","minLength":1,"not":{"required":["no"]}}`)}})
	if err != nil {
		f.Fatal(err)
	}
	for _, document := range documents {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		err := set.Check(t.Context(), &protocol.Call{ID: "a", Payload: document})
		if err != nil {
			issuesOfError(t, err)
		}
	})
}
