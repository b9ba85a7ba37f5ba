package serve

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/bluelibs/go-tunnel/protocol"
)

const (
	acao  = "Access-Control-Allow-Origin"
	acac  = "Access-Control-Allow-Credentials"
	goodO = "https://a.example"
	evilO = "https://evil.example"
)

func TestCORSHeaders(t *testing.T) {
	list := []string{goodO, "https://b.example"}
	star := http.Header{acao: {"*"}}
	varies := http.Header{"Vary": {"Origin"}}
	allows := http.Header{acao: {goodO}, "Vary": {"Origin"}}
	for _, c := range []struct {
		name    string
		cors    protocol.CORS
		origins []string
		want    http.Header
	}{
		{"zero value", protocol.CORS{}, []string{evilO}, star},
		{"zero value, no origin", protocol.CORS{}, nil, star},
		{"origin", protocol.CORS{Origin: goodO}, []string{evilO}, http.Header{acao: {goodO}}},
		{"list", protocol.CORS{Origins: list}, []string{goodO}, allows},
		{"list, other", protocol.CORS{Origins: list}, []string{evilO}, varies},
		{"list, none sent", protocol.CORS{Origins: list}, nil, varies},
		{"list, sent twice", protocol.CORS{Origins: list}, []string{goodO, goodO}, varies},
		{"empty list", protocol.CORS{Origins: []string{}}, []string{goodO}, varies},
		{"list with an empty origin", protocol.CORS{Origins: []string{""}}, nil, varies},
		{"pattern", protocol.CORS{Pattern: regexp.MustCompile(`^https://a\.`)}, []string{goodO}, allows},
		{"pattern, other", protocol.CORS{Pattern: regexp.MustCompile(`^https://a\.`)}, []string{evilO}, varies},
		{"pattern that matches nothing at all", protocol.CORS{Pattern: regexp.MustCompile(`.*`)}, nil, varies},
		{"function", protocol.CORS{OriginFunc: func(o string) string { return o }}, []string{goodO}, allows},
		{"function, nothing", protocol.CORS{OriginFunc: func(string) string { return "" }}, []string{goodO}, varies},
		{"credentials alone", protocol.CORS{Credentials: true}, []string{goodO}, http.Header{acac: {"true"}, "Vary": {"Origin"}}},
		{"credentials and star", protocol.CORS{Credentials: true, Origin: "*"}, []string{goodO}, http.Header{acac: {"true"}, acao: {"*"}}},
		{"credentials, other", protocol.CORS{Credentials: true, Origins: list}, []string{evilO}, http.Header{acac: {"true"}, "Vary": {"Origin"}}},
		{"no vary", protocol.CORS{OmitVary: true, Origins: list}, []string{goodO}, http.Header{acao: {goodO}}},
		{"list beats origin", protocol.CORS{Origin: "*", Origins: list}, []string{evilO}, varies},
		{"pattern beats list", protocol.CORS{Origins: list, Pattern: regexp.MustCompile(`evil`)}, []string{evilO}, http.Header{acao: {evilO}, "Vary": {"Origin"}}},
		{"function beats pattern", protocol.CORS{Pattern: regexp.MustCompile(`evil`), OriginFunc: func(string) string { return "" }}, []string{evilO}, varies},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := http.Header{}
			setCORS(&c.cors, answer, http.Header{"Origin": c.origins})
			assert.Equal(t, c.want, answer)
		})
	}
}

func TestCORSKeepsVary(t *testing.T) {
	answer := http.Header{"Vary": {"Accept"}}
	setCORS(&protocol.CORS{Origins: []string{goodO}}, answer, http.Header{})
	assert.Equal(t, []string{"Accept", "Origin"}, answer["Vary"])
}

func TestCORSExposed(t *testing.T) {
	answer := http.Header{}
	setExposed(&protocol.CORS{}, answer)
	assert.Empty(t, answer)
	setExposed(&protocol.CORS{ExposedHeaders: []string{"a", "b"}}, answer)
	assert.Equal(t, http.Header{"Access-Control-Expose-Headers": {"a, b"}}, answer)
}

func TestCORSPreflight(t *testing.T) {
	const methods, headers, age = "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age"
	asked := http.Header{"Access-Control-Request-Headers": {"X-One,x-two"}}
	for _, c := range []struct {
		name    string
		cors    protocol.CORS
		request http.Header
		want    http.Header
	}{
		{"default", protocol.CORS{}, nil, http.Header{methods: {"POST, OPTIONS"}}},
		{"asked", protocol.CORS{}, asked, http.Header{methods: {"POST, OPTIONS"}, headers: {"X-One,x-two"}}},
		{"configured", protocol.CORS{Methods: []string{"GET"}, Headers: []string{"a", "b"}}, asked, http.Header{methods: {"GET"}, headers: {"a, b"}}},
		{"age", protocol.CORS{MaxAge: 90 * time.Second}, nil, http.Header{methods: {"POST, OPTIONS"}, age: {"90"}}},
		{"age below a second", protocol.CORS{MaxAge: time.Millisecond}, nil, http.Header{methods: {"POST, OPTIONS"}, age: {"0"}}},
		{"negative age", protocol.CORS{MaxAge: -time.Hour}, nil, http.Header{methods: {"POST, OPTIONS"}, age: {"0"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := http.Header{}
			setPreflight(&c.cors, answer, c.request)
			assert.Equal(t, c.want, answer)
		})
	}
}
