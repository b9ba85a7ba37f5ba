package protocoltest

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryCaseIsARule(t *testing.T) {
	names, rules := map[string]bool{}, map[string]string{}
	sentence := regexp.MustCompile(`^[A-Z0-9].*\.$`)
	for _, c := range Cases() {
		name := c.Topic + "/" + c.Name
		assert.False(t, names[name], "%s stands twice", name)
		names[name] = true
		assert.Empty(t, rules[c.Rule], "%s has the rule of another case", name)
		rules[c.Rule] = name
		assert.Regexp(t, sentence, c.Rule, name)
		assert.NotEmpty(t, c.Request.Method, name)
		assert.NotEmpty(t, c.Request.Path, name)
		assert.NotZero(t, c.Want.Status, name)
		assert.Regexp(t, `^[a-zA-Z0-9 ,'-]+$`, c.Name)
	}
	assert.GreaterOrEqual(t, len(names), 150)
}

// failures counts what a check finds.
type failures int

func (f *failures) Errorf(string, ...any) { *f++ }
func (*failures) Helper()                 {}

func TestEveryCaseCanFail(t *testing.T) {
	for _, c := range Cases() {
		right := rightAnswer(c)
		var none failures
		c.check(&none, right)
		require.Zero(t, none, "%s/%s: a right answer passes", c.Topic, c.Name)

		for what, spoil := range map[string]func(*answer){
			"status":     func(a *answer) { a.status++ },
			"body":       func(a *answer) { a.body += " " },
			"request id": func(a *answer) { a.header["X-Runner-Request-Id"] = []string{"another"} },
			"origin":     func(a *answer) { a.header["Access-Control-Allow-Origin"] = []string{"https://spoilt.example"} },
			"allow":      func(a *answer) { a.header.Add("Allow", "BREW") },
			"type":       func(a *answer) { a.header.Set("Content-Type", "text/spoilt") },
			"end":        func(a *answer) { a.cut = !a.cut },
			"location":   func(a *answer) { a.header.Set("Location", "/") },
		} {
			if (what == "request id" || what == "end") && c.Want.Preflight {
				continue // it may have any
			}
			wrong := rightAnswer(c)
			spoil(&wrong)
			var some failures
			c.check(&some, wrong)
			assert.NotZero(t, some, "%s/%s: a wrong %s does not", c.Topic, c.Name, what)
		}
	}
}

// rightAnswer is the answer that a case wants.
func rightAnswer(c Case) answer {
	a := answer{protoMajor: 1, status: c.Want.Status, body: c.Want.Body, cut: c.Want.Cut, header: http.Header{}}
	a.header.Set("Access-Control-Allow-Origin", "*")
	if !c.Want.Preflight {
		a.header.Set("Content-Type", "application/json; charset=utf-8")
		a.header.Set("Content-Length", strconv.Itoa(len(c.Want.Body)))
		a.header.Set("X-Content-Type-Options", "nosniff")
		a.header.Set("X-Frame-Options", "DENY")
		a.header.Set("X-Runner-Request-Id", "00000000-0000-4000-8000-000000000000")
	}
	if c.Want.Stream != "" {
		a.header.Set("Content-Type", c.Want.Stream)
		a.header.Del("Content-Length")
	}
	if c.Want.RequestID != "" {
		a.header.Set("X-Runner-Request-Id", c.Want.RequestID)
	}
	if c.Want.OutsideBase {
		a.header.Del("X-Runner-Request-Id")
	}
	for name, value := range c.Want.Header {
		a.header.Del(name)
		if value != "" {
			a.header.Set(name, value)
		}
	}
	if c.Request.Method == http.MethodHead {
		a.body = ""
	}
	return a
}

func TestSetupDefaults(t *testing.T) {
	s := Setup{}.withDefaults()
	assert.Equal(t, "/__runner", s.BasePath)
	assert.Equal(t, []string{Token}, s.Tokens)
	assert.Equal(t, "X-Runner-Token", s.TokenHeader)
	assert.Equal(t, AllowList().Discovery(), s.AllowList.Discovery())

	assert.Nil(t, Setup{Closed: true}.withDefaults().AllowList)
	assert.Empty(t, Setup{Tokens: []string{}}.withDefaults().Tokens, "an empty list is a choice")
	own := errors.New("own")
	kept := Setup{Authenticate: func(*http.Request) (any, error) { return nil, own }}.withDefaults()
	_, err := kept.Authenticate(nil)
	assert.Equal(t, own, err)
}
