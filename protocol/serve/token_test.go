package serve

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTokens(t *testing.T) {
	type sent = map[string][]string
	for _, c := range []struct {
		name, header string
		tokens       []string
		sent         sent
		want         bool
	}{
		{"right", "", []string{"t"}, sent{"X-Runner-Token": {"t"}}, true},
		{"wrong", "", []string{"t"}, sent{"X-Runner-Token": {"T"}}, false},
		{"prefix", "", []string{"tt"}, sent{"X-Runner-Token": {"t"}}, false},
		{"longer", "", []string{"t"}, sent{"X-Runner-Token": {"tt"}}, false},
		{"absent", "", []string{"t"}, sent{}, false},
		{"empty", "", []string{"t"}, sent{"X-Runner-Token": {""}}, false},
		{"twice", "", []string{"t"}, sent{"X-Runner-Token": {"t", "t"}}, false},
		{"twice as one token", "", []string{"t, t"}, sent{"X-Runner-Token": {"t", "t"}}, true},
		{"first of two", "", []string{"t", "u"}, sent{"X-Runner-Token": {"t"}}, true},
		{"second of two", "", []string{"t", "u"}, sent{"X-Runner-Token": {"u"}}, true},
		{"same token twice in the list", "", []string{"t", "t"}, sent{"X-Runner-Token": {"t"}}, true},
		{"none configured", "", nil, sent{"X-Runner-Token": {"t"}}, false},
		{"none configured, none sent", "", nil, sent{}, false},
		{"empty configured, none sent", "", []string{""}, sent{}, false},
		{"empty configured and sent", "", []string{"", "t"}, sent{"X-Runner-Token": {""}}, false},
		{"other header", "x-other", []string{"t"}, sent{"X-Other": {"t"}}, true},
		{"default header unread", "x-other", []string{"t"}, sent{"X-Runner-Token": {"t"}}, false},
		{"bearer in the default header", "", []string{"t"}, sent{"X-Runner-Token": {"Bearer t"}}, false},
		{"bearer", "authorization", []string{"t"}, sent{"Authorization": {"Bearer t"}}, true},
		{"bearer in any case", "AUTHORIZATION", []string{"t"}, sent{"Authorization": {"bEARER t"}}, true},
		{"bearer and blanks", "authorization", []string{"t"}, sent{"Authorization": {"Bearer   t"}}, true},
		{"bare in authorization", "authorization", []string{"t"}, sent{"Authorization": {"t"}}, true},
		{"basic", "authorization", []string{"t"}, sent{"Authorization": {"Basic t"}}, false},
		{"bearer without a token", "authorization", []string{"t", ""}, sent{"Authorization": {"Bearer "}}, false},
		{"bearer alone", "authorization", []string{"t"}, sent{"Authorization": {"Bearer"}}, false},
		{"token with a blank", "authorization", []string{"a b"}, sent{"Authorization": {"Bearer a b"}}, true},
		{"token with bearer in it", "authorization", []string{"Bearer t"}, sent{"Authorization": {"Bearer t"}}, true},
		{"UTF-8", "", []string{"é"}, sent{"X-Runner-Token": {"é"}}, true},
		{"Latin-1, as JavaScript sends it", "", []string{"é"}, sent{"X-Runner-Token": {"\xe9"}}, true},
		{"beyond Latin-1", "", []string{"é€"}, sent{"X-Runner-Token": {"\xe9\xac"}}, false},
		{"token that is no UTF-8", "", []string{"\xff"}, sent{"X-Runner-Token": {"\xff"}}, true},
		{"two bearers", "authorization", []string{"t"}, sent{"Authorization": {"Bearer t", "Bearer t"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, NewTokens(c.header, c.tokens).Match(http.Header(c.sent)))
		})
	}
}

func TestTokensEmpty(t *testing.T) {
	assert.True(t, Tokens{}.Empty())
	assert.True(t, NewTokens("", nil).Empty())
	assert.True(t, NewTokens("", []string{"", ""}).Empty())
	assert.False(t, NewTokens("", []string{"", "t"}).Empty())
	assert.False(t, Tokens{}.Match(http.Header{"": {"x"}}), "the zero value matches nothing")
}
