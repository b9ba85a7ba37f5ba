package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

const none = "none" // no payload at all

func shown(payload []byte) string {
	if payload == nil {
		return none
	}
	return string(payload)
}

func TestParsePayloadOfTasks(t *testing.T) {
	for body, want := range map[string]string{
		``:                                 none,
		`null`:                             `null`,
		`0`:                                `0`,
		` [1, 2] `:                         `[1, 2]`,
		"\r\n{\"a\":1}\t":                  `{"a":1}`,
		`{}`:                               `{}`,
		`{"input":1}`:                      `1`,
		`{"input":null}`:                   `null`,
		`{"input": {"a" : 1} }`:            `{"a" : 1}`,
		`{"input":1,"input":2}`:            `2`,
		`{"a":{"input":1}}`:                `{"a":{"input":1}}`,
		`[{"input":1}]`:                    `[{"input":1}]`,
		`{"in\u0070ut":1}`:                 `1`,
		`{"Input":1}`:                      `{"Input":1}`,
		`{"input ":1}`:                     `{"input ":1}`,
		`{"payload":1}`:                    `{"payload":1}`,
		`{"input":1,"payload":2}`:          `1`,
		`{"input":1,"returnPayload":true}`: `1`,
		`{"input":{"__type":"Undefined","value":null}}`:                none,
		`{"input":{ "value":[1], "__type" : "Undefined", "more":1 }}`:  none,
		`{"__type":"Undefined","value":null}`:                          none,
		`{"input":{"__type":"Undefined"}}`:                             `{"__type":"Undefined"}`,
		`{"input":{"__type":"undefined","value":null}}`:                `{"__type":"undefined","value":null}`,
		`{"input":{"a":{"__type":"Undefined","value":null}}}`:          `{"a":{"__type":"Undefined","value":null}}`,
		`{"input":["Undefined"]}`:                                      `["Undefined"]`,
		`{"input":{"__type":"Undefined","value":1,"__type":"BigInt"}}`: `{"__type":"Undefined","value":1,"__type":"BigInt"}`,
		`{"input":1,"input":{"__type":"Undefined","value":null}}`:      none,
		"{\"input\":\"a\xffb\"}":                                       "\"a\ufffdb\"",
	} {
		payload, returnPayload, err := ParsePayload(KindTask, []byte(body))
		require.NoError(t, err, body)
		assert.Equal(t, want, shown(payload), body)
		assert.False(t, returnPayload, "it is a word of events: %s", body)
	}
}

func TestParsePayloadOfEvents(t *testing.T) {
	for body, want := range map[string]string{
		``: none, `{}`: none, `null`: none, `5`: none, `[1]`: none, `{"a":1}`: none, `{"input":1}`: none, `{"Payload":1}`: none,
		`{"payload":1}`:                                   `1`,
		`{"payload":null}`:                                `null`,
		`{"payload":1,"payload":2}`:                       `2`,
		`{"pay\u006coad":{}}`:                             `{}`,
		`{"payload":{"__type":"Undefined","value":null}}`: none,
	} {
		payload, _, err := ParsePayload(KindEvent, []byte(body))
		require.NoError(t, err, body)
		assert.Equal(t, want, shown(payload), body)
	}
}

func TestReturnPayload(t *testing.T) {
	for value, want := range map[string]bool{
		`true`: true, `1`: true, `-1`: true, `0.1`: true, `1e0`: true, `"false"`: true, `" "`: true, `{}`: true, `[]`: true,
		`false`: false, `null`: false, `0`: false, `-0`: false, `0.0`: false, `0e9`: false, `-0.0E+5`: false, `""`: false,
		`{"__type":"Undefined","value":null}`: false, `{"__type":"Undefined"}`: true,
		`true,"returnPayload":0`: false, `0,"return\u0050ayload":1`: true,
	} {
		_, got, err := ParsePayload(KindEvent, []byte(`{"returnPayload":`+value+`}`))
		require.NoError(t, err, value)
		assert.Equal(t, want, got, value)
	}
	_, got, err := ParsePayload(KindEvent, []byte(`{}`))
	require.NoError(t, err)
	assert.False(t, got)
}

func TestParsePayloadRefuses(t *testing.T) {
	deep := strings.Repeat("[", 1001) + "1" + strings.Repeat("]", 1001)
	for _, body := range []string{
		` `, "\n", `{`, `{"input":1`, `{"input":1}}`, `{"input":1}{"input":2}`, `{"input":1,}`, `{"input":}`, `nul`, "\ufeff1", "1\x00",
		"{\"input\":\"\n\"}", `{"input":1} x`, deep, strings.Repeat("[", 1_000_000),
	} {
		for _, kind := range []Kind{KindTask, KindEvent} {
			payload, returnPayload, err := ParsePayload(kind, []byte(body))
			var e *Error
			if assert.ErrorAs(t, err, &e, "%.40q", body) {
				assert.Equal(t, CodeInvalidJSON, e.Code)
			}
			assert.Nil(t, payload)
			assert.False(t, returnPayload)
		}
	}
}

func TestPayloadCannotBeGrownIntoTheBody(t *testing.T) {
	body := []byte(`{"input":1,"more":2}`)
	payload, _, err := ParsePayload(KindTask, body)
	require.NoError(t, err)
	_ = append(payload, "spoilt"...)
	assert.Equal(t, `{"input":1,"more":2}`, string(body))
}

// depth returns how deep a valid document is nested, its root being at 0.
func depth(doc []byte) int {
	decoder := json.NewDecoder(bytes.NewReader(doc))
	open, deepest := 0, 0
	for {
		token, err := decoder.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim(']'), json.Delim('}'):
			open--
			continue
		}
		deepest = max(deepest, open)
		if _, ok := token.(json.Delim); ok {
			open++
		}
	}
}

func FuzzParsePayload(f *testing.F) {
	for _, seed := range []string{
		``, ` `, `null`, `{"input":{"a":[1]}}`, `{"in\u0070ut":1,"input":2}`, ` {"a":1} `, `{"payload":1,"returnPayload":"x"}`, `{"input":{"__type":"Undefined","value":null}}`,
		`[[[[]]]]`, `{"input":1}x`, "{\"input\":\"\xff\"}", `{"returnPayload":1e-999}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for kind, word := range map[Kind]string{KindTask: "input", KindEvent: "payload"} {
			payload, _, err := ParsePayload(kind, body)
			if len(body) == 0 {
				if payload != nil || err != nil {
					t.Fatalf("no body: %q, %v", payload, err)
				}
				continue
			}
			if !utf8.Valid(payload) {
				t.Fatalf("%q is not UTF-8", payload)
			}
			body := body
			if !utf8.Valid(body) {
				body = replaceInvalidUTF8(body)
			}
			valid := json.Valid(body)
			if errors.Is(err, rawjson.ErrDepth) {
				if valid && depth(body) <= MaxDepth {
					t.Fatalf("refused for a depth of %d", depth(body))
				}
				continue
			}
			if valid != (err == nil) {
				t.Fatalf("encoding/json says valid=%v, ParsePayload %v", valid, err)
			}
			if err != nil {
				continue
			}
			want := bytes.TrimSpace(body)
			if kind == KindEvent {
				want = nil
			}
			var members map[string]json.RawMessage
			if json.Unmarshal(body, &members) == nil && members[word] != nil {
				want = members[word]
			}
			if payload == nil && want != nil {
				var typed struct {
					Type  any             `json:"__type"`
					Value json.RawMessage `json:"value"`
				}
				if json.Unmarshal(want, &typed) != nil || typed.Type != "Undefined" {
					t.Fatalf("%s: nothing, want %q", kind, want)
				}
				continue
			}
			if !bytes.Equal(payload, want) {
				t.Fatalf("%s: %q, want %q", kind, payload, want)
			}
		}
	})
}
