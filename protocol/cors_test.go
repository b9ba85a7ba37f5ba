package protocol

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
		cors    CORS
		origins []string
		want    http.Header
	}{
		{"zero value", CORS{}, []string{evilO}, star},
		{"zero value, no origin", CORS{}, nil, star},
		{"origin", CORS{Origin: goodO}, []string{evilO}, http.Header{acao: {goodO}}},
		{"list", CORS{Origins: list}, []string{goodO}, allows},
		{"list, other", CORS{Origins: list}, []string{evilO}, varies},
		{"list, none sent", CORS{Origins: list}, nil, varies},
		{"list, sent twice", CORS{Origins: list}, []string{goodO, goodO}, varies},
		{"empty list", CORS{Origins: []string{}}, []string{goodO}, varies},
		{"list with an empty origin", CORS{Origins: []string{""}}, nil, varies},
		{"pattern", CORS{Pattern: regexp.MustCompile(`^https://a\.`)}, []string{goodO}, allows},
		{"pattern, other", CORS{Pattern: regexp.MustCompile(`^https://a\.`)}, []string{evilO}, varies},
		{"pattern that matches nothing at all", CORS{Pattern: regexp.MustCompile(`.*`)}, nil, varies},
		{"function", CORS{OriginFunc: func(o string) string { return o }}, []string{goodO}, allows},
		{"function, nothing", CORS{OriginFunc: func(string) string { return "" }}, []string{goodO}, varies},
		{"credentials alone", CORS{Credentials: true}, []string{goodO}, http.Header{acac: {"true"}, "Vary": {"Origin"}}},
		{"credentials and star", CORS{Credentials: true, Origin: "*"}, []string{goodO}, http.Header{acac: {"true"}, acao: {"*"}}},
		{"credentials, other", CORS{Credentials: true, Origins: list}, []string{evilO}, http.Header{acac: {"true"}, "Vary": {"Origin"}}},
		{"no vary", CORS{OmitVary: true, Origins: list}, []string{goodO}, http.Header{acao: {goodO}}},
		{"list beats origin", CORS{Origin: "*", Origins: list}, []string{evilO}, varies},
		{"pattern beats list", CORS{Origins: list, Pattern: regexp.MustCompile(`evil`)}, []string{evilO}, http.Header{acao: {evilO}, "Vary": {"Origin"}}},
		{"function beats pattern", CORS{Pattern: regexp.MustCompile(`evil`), OriginFunc: func(string) string { return "" }}, []string{evilO}, varies},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := http.Header{}
			c.cors.SetHeaders(answer, http.Header{"Origin": c.origins})
			assert.Equal(t, c.want, answer)
		})
	}
}

func TestCORSKeepsVary(t *testing.T) {
	answer := http.Header{"Vary": {"Accept"}}
	(&CORS{Origins: []string{goodO}}).SetHeaders(answer, http.Header{})
	assert.Equal(t, []string{"Accept", "Origin"}, answer["Vary"])
}

func TestCORSExposed(t *testing.T) {
	answer := http.Header{}
	(&CORS{}).SetExposed(answer)
	assert.Empty(t, answer)
	(&CORS{ExposedHeaders: []string{"a", "b"}}).SetExposed(answer)
	assert.Equal(t, http.Header{"Access-Control-Expose-Headers": {"a, b"}}, answer)
}

func TestCORSPreflight(t *testing.T) {
	const methods, headers, age = "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age"
	asked := http.Header{"Access-Control-Request-Headers": {"X-One,x-two"}}
	for _, c := range []struct {
		name    string
		cors    CORS
		request http.Header
		want    http.Header
	}{
		{"default", CORS{}, nil, http.Header{methods: {"POST, OPTIONS"}}},
		{"asked", CORS{}, asked, http.Header{methods: {"POST, OPTIONS"}, headers: {"X-One,x-two"}}},
		{"configured", CORS{Methods: []string{"GET"}, Headers: []string{"a", "b"}}, asked, http.Header{methods: {"GET"}, headers: {"a, b"}}},
		{"age", CORS{MaxAge: 90 * time.Second}, nil, http.Header{methods: {"POST, OPTIONS"}, age: {"90"}}},
		{"age below a second", CORS{MaxAge: time.Millisecond}, nil, http.Header{methods: {"POST, OPTIONS"}, age: {"0"}}},
		{"negative age", CORS{MaxAge: -time.Hour}, nil, http.Header{methods: {"POST, OPTIONS"}, age: {"0"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := http.Header{}
			c.cors.SetPreflight(answer, c.request)
			assert.Equal(t, c.want, answer)
		})
	}
}
