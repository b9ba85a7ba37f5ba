package schema

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
)

// issuesFor returns what is wrong with a document, one "pointer: reason" a line.
func issuesFor(t *testing.T, schema, document string) string {
	t.Helper()
	set, err := Compile(Sources{Tasks: map[string]any{"a": []byte(schema)}})
	require.NoError(t, err)
	var payload []byte
	if document != "" {
		payload = []byte(document)
	}
	return issuesOfError(t, set.Check(t.Context(), &protocol.Call{ID: "a", Payload: payload}))
}

func issuesOfError(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var public *protocol.Error
	require.ErrorAs(t, err, &public)
	assert.Equal(t, protocol.CodeInvalidInput, public.Code)
	data, err := json.Marshal(public.Data)
	require.NoError(t, err)
	var decoded struct{ Issues []Issue }
	require.NoError(t, json.Unmarshal(data, &decoded))
	require.NotEmpty(t, decoded.Issues)
	var lines []string
	for _, issue := range decoded.Issues {
		lines = append(lines, issue.Pointer+": "+issue.Reason)
	}
	return strings.Join(lines, "\n")
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct{ schema, document, want string }{
		"fits":                   {`{"type":"object","required":["a"]}`, `{"a":1}`, ""},
		"type":                   {`{"type":["number","null"]}`, `"5"`, ": must be null or number, is string"},
		"no input":               {`{"type":"object"}`, "", ": is missing"},
		"no input, null allowed": {`{"type":["object","null"]}`, "", ""},
		"no input, anything":     {`{}`, "", ""},
		"missing":                {`{"required":["a","b/c","d"]}`, `{"d":1}`, "/a: is missing\n/b~1c: is missing"},
		"additional":             {`{"properties":{"a":true},"additionalProperties":false}`, `{"a":1,"y":1,"x~":{}}`, "/x~0: is not allowed\n/y: is not allowed"},
		"unevaluated":            {`{"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}`, `{"a":1,"b":1}`, "/b: is not allowed"},
		"nested":                 {`{"properties":{"a":{"items":{"properties":{"b":{"minimum":1}}}}}}`, `{"a":[{"b":1},{"b":0}]}`, "/a/1/b: must be at least 1"},
		"all issues":             {`{"properties":{"a":{"type":"string"},"b":{"maxLength":1}},"required":["c"]}`, `{"a":1,"b":"xyz"}`, "/a: must be string, is number\n/b: must have at most 1 characters, has 3\n/c: is missing"},
		"each thing once":        {`{"allOf":[{"type":"string"},{"type":"string"}]}`, `1`, ": must be string, is number"},
		"const":                  {`{"const":"<x>"}`, `1`, `: must be "\u003cx\u003e"`},
		"enum":                   {`{"enum":[1,"a",null]}`, `2`, `: must be one of 1, "a", null`},
		"pattern":                {`{"pattern":"^a+$"}`, `"secret"`, ": must match the pattern ^a+$"},
		"format":                 {`{"format":"date-time"}`, `"2024-13-01T00:00:00Z"`, ": must be in the format date-time"},
		"unknown format":         {`{"format":"cuid"}`, `"x"`, ""},
		"length in characters":   {`{"minLength":2,"maxLength":2}`, `"日本"`, ""},
		"minLength":              {`{"minLength":3}`, `"日本"`, ": must have at least 3 characters, has 2"},
		"items":                  {`{"minItems":2,"uniqueItems":true}`, `[1]`, ": must have at least 2 items, has 1"},
		"maxItems":               {`{"maxItems":1}`, `[1,2]`, ": must have at most 1 items, has 2"},
		"unique":                 {`{"uniqueItems":true}`, `[1,{"a":[2]},1.0]`, ": must have no equal items, but 0 and 2 are"},
		"contains":               {`{"contains":{"const":1}}`, `[2,3]`, ": has no item that it must have"},
		"minContains":            {`{"contains":{"const":1},"minContains":2}`, `[1,3]`, ": must have at least 2 items of a kind, has 1"},
		"maxContains":            {`{"contains":{"const":1},"maxContains":1}`, `[1,1]`, ": must have at most 1 items of a kind, has 2"},
		"members":                {`{"minProperties":1}`, `{}`, ": must have at least 1 members, has 0"},
		"maxProperties":          {`{"maxProperties":0}`, `{"a":1}`, ": must have at most 0 members, has 1"},
		"dependent":              {`{"dependentRequired":{"a":["b"]}}`, `{"a":1}`, "/b: is missing"},
		"exclusive":              {`{"exclusiveMinimum":0.5}`, `0.5`, ": must be more than 0.5"},
		"exclusiveMaximum":       {`{"exclusiveMaximum":1}`, `1.0`, ": must be less than 1"},
		"multipleOf":             {`{"multipleOf":0.1}`, `0.35`, ": must be a multiple of 0.1"},
		"exact decimals":         {`{"multipleOf":0.1}`, `0.3`, ""},
		"rounded integers":       {`{"maximum":9007199254740992}`, `9007199254740993`, ""},
		"rounded to zero":        {`{"exclusiveMinimum":0}`, `1e-350`, ": must be more than 0"},
		"rounded to the bound":   {`{"exclusiveMaximum":100}`, `99.99999999999999999999999`, ": must be less than 100"},
		"rounded to an integer":  {`{"type":"integer"}`, `1.00000000000000000001`, ""},
		"rounded and equal":      {`{"uniqueItems":true}`, `[0.1,0.1000000000000000055]`, ": must have no equal items, but 0 and 1 are"},
		"the bound is rounded":   {`{"const":9007199254740993}`, `9007199254740992`, ""},
		"not finite":             {`{"items":{"type":"integer"}}`, `[1e309]`, "/0: is a number out of range"},
		"minus zero":             {`{"const":0,"minimum":0,"type":"integer"}`, `-0.0`, ""},
		"half a pair":            {`{"items":{"type":"string"}}`, `["a","\ud83d"]`, "/1: has half of a surrogate pair"},
		"half a pair behind":     {`{}`, `"\ude42\ud83d"`, ": has half of a surrogate pair"},
		"half a pair, a name":    {`{}`, `{"a":{"\uD800":1}}`, "/a/�: has half of a surrogate pair"},
		"a whole pair":           {`{"pattern":"^.$"}`, `"\ud83d\ude42"`, ""},
		"the replacement itself": {`{"const":"\ufffd"}`, `"�"`, ""},
		"escaped replacement":    {`{"const":"\ufffd\n"}`, `"\ufffd\n"`, ""},
		"escaped name":           {`{"properties":{"a":{"type":"number"}}}`, `{"\u0061":"x"}`, "/a: must be number, is string"},
		"the prototype":          {`{"properties":{"a":{"type":"number"}}}`, `{"b":{"__proto__":{"a":"x"}}}`, "/b/__proto__: is a name that cannot be checked"},
		"escaped prototype":      {`{}`, `{"\u005f_proto__":{}}`, "/__proto__: is a name that cannot be checked"},
		"a prototype by name":    {`{"properties":{"__proto__":{"type":"number"}}}`, `{"__proto__":"x"}`, "/__proto__: must be number, is string"},
		"a list of items":        {`{"type":"array","items":[{"type":"string"},{"type":"number"}],"additionalItems":false}`, `["a",1,2]`, ": has 1 items too many"},
		"a list that fits":       {`{"type":"array","items":[{"type":"string"}],"additionalItems":false,"minItems":1,"maxItems":1}`, `["a"]`, ""},
		"a member named items":   {`{"prefixItems":[{"type":"string"}],"dependentRequired":{"items":["a"]}}`, `[1]`, "/0: must be string, is number"},
		"beside a pattern":       {`{"format":"email","pattern":"^.$"}`, `"a"`, ""},
		"beside patterns":        {`{"format":"date-time","allOf":[{"pattern":"^.$"},{"pattern":"a"}]}`, `"a"`, ""},
		"not beside a pattern":   {`{"properties":{"format":{"format":"date"},"pattern":{}}}`, `{"format":"x"}`, "/format: must be in the format date"},
		"an enum of formats":     {`{"enum":[{"format":"regex","pattern":"a"}]}`, `{"format":"regex","pattern":"a"}`, ""},
		"a member named enum":    {`{"properties":{"enum":{"format":"email","pattern":"^.$"}}}`, `{"enum":"a"}`, ""},
		"a file":                 {`{"properties":{"f":{"type":"string","format":"binary","contentEncoding":"binary","maxLength":5,"contentMediaType":"image/png"}}}`, `{"f":{"$runnerFile":"File","id":"F1","meta":{"name":"a"}}}`, ""},
		"a file of Runner 4":     {`{"type":"string","format":"binary","contentEncoding":"binary"}`, `{"$ejson":"File","id":"F1"}`, ""},
		"a file in draft 4":      {`{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"f":{"type":"string","format":"binary","contentEncoding":"binary"}}}`, `{"f":{"$runnerFile":"x","id":"a"}}`, "/f/$runnerFile: must be one of \"File\""},
		"no file":                {`{"type":"string","format":"binary","contentEncoding":"binary"}`, `"text"`, ": must be object, is string"},
		"a file without an id":   {`{"type":"string","format":"binary","contentEncoding":"binary"}`, `{"$runnerFile":"File"}`, "/id: is missing"},
		"a file and more":        {`{"type":"string","format":"binary","contentEncoding":"binary"}`, `{"$runnerFile":"File","id":"a","x":1}`, "/x: is not allowed"},
		"a file of no kind":      {`{"type":"string","format":"binary","contentEncoding":"binary"}`, `{"id":"a"}`, ": matches none of the alternatives\n/$ejson: is missing\n/$runnerFile: is missing"},
		"unevaluated, a ref":     {`{"$ref":"#/$defs/a","unevaluatedProperties":false,"$defs":{"a":{"properties":{"x":{"type":"number"},"y":true}}}}`, `{"x":"","y":1}`, "/x: must be number, is string"},
		"unevaluated and wrong":  {`{"$ref":"#/$defs/a","unevaluatedProperties":false,"$defs":{"a":{"properties":{"x":{"type":"number"}}}}}`, `{"x":"","z":1}`, "/x: must be number, is string\n/z: is not allowed"},
		"unevaluated, a pattern": {`{"allOf":[{"patternProperties":{"^y":true},"required":["x"]}],"unevaluatedProperties":false}`, `{"y":1,"z":1}`, "/x: is missing\n/z: is not allowed"},
		"unevaluated, untaken":   {`{"if":{"required":["k"]},"then":{"properties":{"a":true}},"unevaluatedProperties":false}`, `{"a":1}`, "/a: is not allowed"},
		"unevaluated items":      {`{"$ref":"#/$defs/a","unevaluatedItems":false,"$defs":{"a":{"prefixItems":[{"type":"number"},true]}}}`, `["",1,2]`, "/0: must be number, is string\n/2: is not allowed"},
		"integer":                {`{"type":"integer"}`, `1.0`, ""},
		"large exponent":         {`{"type":"integer"}`, `1e300`, ""},
		"alternatives":           {`{"anyOf":[{"type":"string"},{"required":["a"]}]}`, `{}`, ": matches none of the alternatives\n: must be string, is object\n/a: is missing"},
		"too many alternatives":  {`{"oneOf":[{"type":"number"},{"minimum":1}]}`, `1`, ": matches more than one of the alternatives"},
		"not":                    {`{"not":{"type":"null"}}`, `null`, ": is not valid"},
		"false":                  {`{"properties":{"a":false}}`, `{"a":1}`, "/a: is not allowed"},
		"if":                     {`{"if":{"required":["a"]},"then":{"required":["b"]}}`, `{"a":1}`, "/b: is missing"},
		"reference":              {`{"$ref":"#/$defs/n","$defs":{"n":{"type":"number"}}}`, `""`, ": must be number, is string"},
		"recursion":              {`{"properties":{"next":{"$ref":"#"},"v":{"type":"number"}}}`, `{"next":{"next":{"v":""}}}`, "/next/next/v: must be number, is string"},
		"property names":         {`{"properties":{"b":{"propertyNames":{"pattern":"^[a-z]$"}},"c":{},"a":{}}}`, `{"a":1,"b":{"X":1},"c":2}`, "/b/X: has a name that is not allowed"},
		"another draft":          {`{"$schema":"http://json-schema.org/draft-07/schema#","items":[{"type":"string"}]}`, `[1]`, "/0: must be string, is number"},
		"a Date":                 {`{"properties":{"__type":{"const":"Date"},"value":{"format":"date-time"}},"required":["__type","value"]}`, `{"__type":"Date","value":"2024-01-02T03:04:05.678Z"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, issuesFor(t, c.schema, c.document))
		})
	}
}

// An executor may not see something else than what was checked.
func TestDocumentsThatAreReadInTwoWays(t *testing.T) {
	const schema = `{"type":"object","properties":{"a":{"type":"number"}},"required":["a"]}`
	for document, want := range map[string]string{
		`{"a":1,"a":"x"}`:                                        "/a: stands twice",
		`{"a":1,"\u0061":"x"}`:                                   "/a: stands twice",
		`{"a":1,"b":{"c":1,"c":2}}`:                              "/b/c: stands twice",
		`{"a":1,"__type":"Map","value":[["a","x"]]}`:             ": is a typed value in a form that cannot be checked",
		`{"a":1,"b":[{"__type":"Date","value":0,"a":1}]}`:        "/b/0: is a typed value in a form that cannot be checked",
		`{"a":1,"__graph":true,"root":"x","nodes":{}}`:           ": is a typed value in a form that cannot be checked",
		`{"a":1,"$runner.escape::a":"x"}`:                        "/$runner.escape::a: is a name that cannot be checked",
		`{"a":1,"b":{"$runner.escape::c":"x"}}`:                  "/b/$runner.escape::c: is a name that cannot be checked",
		`{"a":1,"b":{"__type":"Date","value":0}}`:                "",
		`{"a":1,"b":{"__graph":true}}`:                           "",
		`{"a":1,"__type":5,"value":1}`:                           "",
		`{"a":1,"$runner.escape::__type":"x"}`:                   "",
		`{"a":1,"$runner.escape::$runner.escape::__graph":true}`: "",
	} {
		assert.Equal(t, want, issuesFor(t, schema, document), document)
	}
}

func TestBounds(t *testing.T) {
	digits := strings.Repeat("9", 400)
	for name, c := range map[string]struct{ schema, document, want string }{
		"digits":            {`{"type":"integer"}`, digits, ": is a number out of range"},
		"digits behind":     {`{"exclusiveMinimum":0}`, "0." + digits, ""},
		"exponent":          {`{"minimum":0}`, `[1,{"a":1E+309}]`, "/1/a: is a number out of range"},
		"negative exponent": {`{"const":0}`, `1e-1000001`, ""},
		"endless exponent":  {`{"minimum":0}`, `1e` + digits, ": is a number out of range"},
		"long exponent":     {`{"minimum":0}`, `1e99999999999999999999`, ": is a number out of range"},
		"values":            {`{}`, "[" + strings.Repeat("0,", maxPlaces/2) + "0]", ": has too many values"},
		"deep values":       {`{}`, strings.Repeat("[", 999) + strings.Repeat("0,", maxPlaces/1000) + "0" + strings.Repeat("]", 999), ": has too many values"},
		"depth":             {`{"items":{"$ref":"#"}}`, strings.Repeat("[", 1000) + strings.Repeat("]", 1000), ""},
		"wide recursion": {
			`{"anyOf":[{"items":{"$ref":"#"},"type":"array"},{"items":{"$ref":"#"},"type":"array"}]}`,
			strings.Repeat("[", 10) + strings.Repeat("0,", 50_000) + "0" + strings.Repeat("]", 10), ": takes too long to be checked",
		},
		"recursion": {
			`{"$ref":"#/$defs/n","$defs":{"n":{"anyOf":[
				{"type":"array","items":{"$ref":"#/$defs/n"},"minItems":0},
				{"type":"array","items":{"$ref":"#/$defs/n"},"maxItems":99}]}}}`,
			strings.Repeat("[", 60) + `"x"` + strings.Repeat("]", 60), ": takes too long to be checked",
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, issuesFor(t, c.schema, c.document))
		})
	}
	t.Run("issues", func(t *testing.T) {
		found := issuesFor(t, `{"items":{"type":"string"}}`, "["+strings.Repeat("0,", 9999)+"0]")
		assert.Len(t, strings.Split(found, "\n"), maxIssues)
	})

	t.Run("text", func(t *testing.T) {
		name := strings.Repeat("é", 300)
		for line := range strings.Lines(issuesFor(t, `{"additionalProperties":{"pattern":"^`+name+`$"},"maxProperties":1}`, `{"`+name+`":"","`+name+`2":""}`)) {
			assert.Less(t, len(line), 2*maxText+10)
			assert.True(t, json.Valid([]byte(`"`+strings.TrimSpace(line)+`"`)))
		}
	})
}

// After a check that was cut off the next one works.
func TestCutOffCheckLeavesNothingBehind(t *testing.T) {
	set, err := Compile(Sources{Tasks: map[string]any{"a": []byte(`{"anyOf":[{"items":{"$ref":"#"},"type":"array"},{"items":{"$ref":"#"},"type":"array"}]}`)}})
	require.NoError(t, err)
	for range 3 * cap(set.inputs[0]["a"].free) {
		err := set.Check(t.Context(), &protocol.Call{ID: "a", Payload: []byte(strings.Repeat("[", 50) + "1" + strings.Repeat("]", 50))})
		require.Equal(t, ": takes too long to be checked", issuesOfError(t, err))
		require.NoError(t, set.Check(t.Context(), &protocol.Call{ID: "a", Payload: []byte(`[[]]`)}))
	}
}

func TestOtherIDsPass(t *testing.T) {
	set, err := Compile(Sources{Tasks: map[string]any{"a": false}, Events: map[string]any{"b": false}})
	require.NoError(t, err)
	for _, c := range []struct {
		kind protocol.Kind
		id   string
		ok   bool
	}{{protocol.KindTask, "a", false}, {protocol.KindEvent, "b", false}, {protocol.KindTask, "b", true}, {protocol.KindEvent, "a", true}, {protocol.KindTask, "c", true}} {
		err := set.Check(t.Context(), &protocol.Call{Kind: c.kind, ID: c.id, Payload: []byte(`1`)})
		assert.Equal(t, c.ok, err == nil, "%s %s", c.kind, c.id)
	}
}

func TestCheckWaitsForItsTurnAsLongAsItMay(t *testing.T) {
	set, err := Compile(Sources{Tasks: map[string]any{"a": true}})
	require.NoError(t, err)
	v := set.inputs[protocol.KindTask]["a"]
	for range cap(v.free) {
		_, err := v.acquire(t.Context())
		require.NoError(t, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, set.Check(ctx, &protocol.Call{ID: "a", Payload: []byte(`1`)}), context.Canceled)
}

func TestCheckReply(t *testing.T) {
	set, err := Compile(Sources{Results: map[string]any{"a": map[string]any{"type": "number"}}})
	require.NoError(t, err)
	task := &protocol.Call{ID: "a"}
	assert.NoError(t, set.CheckReply(t.Context(), task, &protocol.Reply{Value: []byte(`1`)}))
	assert.NoError(t, set.CheckReply(t.Context(), task, &protocol.Reply{Stream: io.NopCloser(strings.NewReader("x"))}))
	assert.NoError(t, set.CheckReply(t.Context(), &protocol.Call{ID: "b"}, &protocol.Reply{}))
	assert.NoError(t, set.CheckReply(t.Context(), &protocol.Call{Kind: protocol.KindEvent, ID: "a"}, &protocol.Reply{}))
	err = set.CheckReply(t.Context(), task, &protocol.Reply{Value: []byte(`"x"`)})
	assert.EqualError(t, err, "schema: the result of task a is wrong: the document must be number, is string")
	assert.NotErrorAs(t, err, new(*protocol.Error), "it is private")
	assert.Error(t, set.CheckReply(t.Context(), task, &protocol.Reply{}))
}

func write(t *testing.T, dir, name, text string) File {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return File(path)
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	common := write(t, dir, "common schema.json", `{"$defs":{"n":{"type":"number"}}}`)
	set, err := Compile(Sources{
		Tasks: map[string]any{
			"file":  write(t, dir, "a.json", `{"$ref":"common%20schema.json#/$defs/n"}`),
			"other": write(t, dir, "b.json", `{"items":{"$ref":"./a.json"}}`),
			"url":   []byte(`{"$ref":"https://example.com/common#/$defs/n"}`),
			"by id": []byte(`{"$ref":"https://example.com/own"}`),
		},
		Shared: map[string]any{
			"https://example.com/common": common,
			"https://example.com/own":    map[string]any{"$id": "https://example.com/own", "type": "number"},
		},
	})
	require.NoError(t, err)
	for id, wrong := range map[string]string{"file": `""`, "other": `[1,""]`, "url": `""`, "by id": `""`} {
		assert.Error(t, set.Check(t.Context(), &protocol.Call{ID: id, Payload: []byte(wrong)}), id)
	}
	for id, right := range map[string]string{"file": `1`, "other": `[1]`, "url": `1`, "by id": `1`} {
		assert.NoError(t, set.Check(t.Context(), &protocol.Call{ID: id, Payload: []byte(right)}), id)
	}
	assert.JSONEq(t, `{"items":{"$ref":"./a.json"}}`, string(set.Schemas().Tasks["other"]))
}

func TestSchemasThatDoNotCompile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "ungiven.json", `{}`)
	for name, c := range map[string]struct {
		schema any
		want   string
	}{
		"keyword":        {[]byte(`{"properties":{"x":{"type":"objct"}}}`), `schema of task "a": /properties/x/type matches none of the alternatives; /properties/x/type must be array, is string; /properties/x/type must be one of`},
		"value":          {map[string]any{"minimum": "x"}, `schema of task "a": /minimum must be number, is string`},
		"no schema":      {5, `schema of task "a": the document must be boolean or object, is number`},
		"no JSON":        {[]byte(`{"type":`), `schema of task "a": the document is not valid JSON`},
		"nothing":        {[]byte(nil), `schema of task "a": the document is not valid JSON`},
		"no JSON value":  {func() {}, `schema of task "a": json: unsupported type: func()`},
		"member twice":   {[]byte(`{"type":"string","type":"number"}`), `schema of task "a": /type stands twice`},
		"pattern":        {[]byte(`{"items":{"pattern":"("}}`), `schema of task "a": /items/pattern must be in the format regex; `},
		"Go's pattern":   {[]byte(`{"not":{"pattern":"(?i)a"}}`), `schema of task "a": /not/pattern must be in the format regex; `},
		"a name's":       {[]byte(`{"properties":{"x":{"allOf":[{"patternProperties":{"a":true,"\\z":true}}]}}}`), `schema of task "a": /properties/x/allOf/0/patternProperties/\z has a name that is not allowed; not a regular`},
		"one of draft 4": {[]byte(`{"$schema":"http://json-schema.org/draft-04/schema#","not":{"patternProperties":{"(":{}}}}`), `schema of task "a", at /not/patternProperties: the pattern "(" is not a regular`},
		"large pattern":  {[]byte(`{"items":{"pattern":"(?=a)(?:.{1000}){1000}"}}`), `schema of task "a"`},
		"circle":         {[]byte(`{"$ref":"#"}`), `schema of task "a": it refers to itself for the same value`},
		"long circle":    {[]byte(`{"items":{"$ref":"#/$defs/a"},"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"anyOf":[true,{"$ref":"#/$defs/a"}]}}}`), `schema of task "a", at /$defs/`},
		"dynamic":        {[]byte(`{"$defs":{"a":{"$dynamicAnchor":"x","not":{"$dynamicRef":"#x"}}},"properties":{"p":{"$ref":"#/$defs/a"}}}`), `schema of task "a", at /$defs/a`},
		"a dependency":   {[]byte(`{"dependentSchemas":{"a":{"$ref":"#"}}}`), `it refers to itself for the same value`},
		"half a pair":    {[]byte(`{"const":"\ud800"}`), `schema of task "a": /const has half of a surrogate pair`},
		"definition":     {[]byte(`{"items":{"$ref":"#/$defs/x"}}`), `schema of task "a", at /items/$ref: `},
		"anchor":         {[]byte(`{"items":{"$ref":"#x"}}`), `schema of task "a", at /items/$ref: `},
		"other draft":    {[]byte(`{"$schema":"https://example.com/draft"}`), `schema of task "a", at /$schema: refers to https://example.com/draft, but it was not given`},
		"network":        {[]byte(`{"items":[{"$ref":"http://127.0.0.1:1/x.json"}]}`), `schema of task "a"`},
		"network, ref":   {[]byte(`{"not":{"$ref":"http://127.0.0.1:1/x.json"}}`), `schema of task "a", at /not/$ref: refers to http://127.0.0.1:1/x.json, but it was not given`},
		"ungiven file":   {write(t, dir, "a.json", `{"$ref":"ungiven.json"}`), `a.json), at /$ref: refers to file:///`},
		"no file":        {File(filepath.Join(dir, "none.json")), `none.json): open `},
		"bad file":       {write(t, dir, "b.json", `{"allOf":[{"required":"a"}]}`), `b.json): /allOf/0/required must be array, is string`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Compile(Sources{Tasks: map[string]any{"a": c.schema}})
			assert.ErrorContains(t, err, c.want)
		})
	}
	_, err := Compile(Sources{Events: map[string]any{"a": 1}})
	assert.ErrorContains(t, err, `schema of event "a"`)
	_, err = Compile(Sources{Results: map[string]any{"a": 1}})
	assert.ErrorContains(t, err, `schema of result "a"`)
}

// What zod 4.6 makes of its own schemas works as zod does: testdata/zod.json has the
// result of z.toJSONSchema(…, { io: "input" }), a document that zod takes, and members with which it does not.
func TestZod(t *testing.T) {
	text, err := os.ReadFile("testdata/zod.json")
	require.NoError(t, err)
	var zod struct {
		Schema    json.RawMessage
		Good, Bad map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal(text, &zod))
	check := func(document map[string]json.RawMessage) string {
		text, err := json.Marshal(document)
		require.NoError(t, err)
		return issuesFor(t, string(zod.Schema), string(text))
	}
	require.Empty(t, check(zod.Good))
	for member, value := range zod.Bad {
		document := maps.Clone(zod.Good)
		document[member] = value
		assert.Contains(t, check(document), "/"+member, member)
	}
}
