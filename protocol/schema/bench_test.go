package schema

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// benchmarked are schemas and documents that fit them.
var benchmarked = []struct{ name, schema, document string }{
	{
		"object", // z.object with an email, a UUID, a date, an enum and a list
		`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{
			"id":{"type":"string","format":"uuid","pattern":"^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000)$"},
			"name":{"type":"string","minLength":1,"maxLength":100},
			"email":{"type":"string","format":"email","pattern":"^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$"},
			"age":{"type":"integer","minimum":0,"maximum":9007199254740991},"role":{"type":"string","enum":["user","admin","guest"]},
			"tags":{"type":"array","items":{"type":"string","pattern":"^[a-z]+$"},"maxItems":10}},
			"required":["id","name","email","age","role","tags"]}`,
		`{"id":"123e4567-e89b-42d3-a456-426614174000","name":"Ann Example","email":"ann@example.com","age":42,"role":"admin","tags":["a","bc","def"]}`,
	},
	{
		"small",
		`{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"]}`,
		`{"a":5,"b":3}`,
	},
	{
		"lookahead", // z.iso.duration, which is scanned
		`{"type":"object","properties":{"d":{"type":"string","pattern":"^P(?:(\\d+W)|(?!.*W)(?=\\d|T\\d)(\\d+Y)?(\\d+M)?(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+([.,]\\d+)?S)?)?)$"}},"required":["d"]}`,
		`{"d":"P3Y6M4DT12H30M5S"}`,
	},
	{
		"reference", // with a back reference, as arktype's string.date.iso has it
		`{"type":"object","properties":{"d":{"type":"string","pattern":"^(\\d{4})(-?)(0[1-9]|1[0-2])\\2([12]\\d|0[1-9]|3[01])$"}},"required":["d"]}`,
		`{"d":"2024-02-29"}`,
	},
	{
		"plain", // what the two before are without a pattern
		`{"type":"object","properties":{"d":{"type":"string"}},"required":["d"]}`,
		`{"d":"P3Y6M4DT12H30M5S"}`,
	},
}

func BenchmarkCheck(b *testing.B) {
	for _, c := range benchmarked {
		b.Run(c.name, func(b *testing.B) {
			benchmarkCheck(b, c.schema, c.document)
		})
	}
	text, err := os.ReadFile("testdata/zod.json")
	require.NoError(b, err)
	var zod struct{ Schema, Good json.RawMessage }
	require.NoError(b, json.Unmarshal(text, &zod))
	b.Run("zod", func(b *testing.B) { benchmarkCheck(b, string(zod.Schema), string(zod.Good)) })
}

func benchmarkCheck(b *testing.B, schema, document string) {
	set, err := Compile(Sources{Tasks: map[string]any{"a": []byte(schema)}})
	if err != nil {
		b.Skip(err)
	}
	call := &protocol.Call{ID: "a", Payload: []byte(document)}
	b.ReportAllocs()
	for b.Loop() {
		if err := set.Check(b.Context(), call); err != nil {
			b.Fatal(err)
		}
	}
}
