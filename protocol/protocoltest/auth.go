package protocoltest

import (
	"errors"
	"net/http"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

func authCases() []Case {
	notConfigured := failure(http.StatusInternalServerError, "AUTH_NOT_CONFIGURED", "Authentication not configured.")
	token := func(value string) Request { return add().noToken().with("x-runner-token", value) }
	authorization := func(value string) Request { return add().noToken().with("authorization", value) }
	none := []string{}
	inAuthorization := Setup{TokenHeader: "authorization"}
	ask := func(r *http.Request) (any, error) {
		switch r.Header.Get("X-Ticket") {
		case "good":
			return "someone", nil
		case "limited":
			return nil, &protocol.Error{Code: protocol.CodeRateLimited, RetryAfter: 1500 * time.Millisecond}
		}
		return nil, errors.New("the secret reason why not")
	}
	return []Case{
		{
			Name: "no token", Rule: "A call without the token is refused.",
			Request: add().noToken(), Want: unauthorized(),
		},
		{
			Name: "wrong token", Rule: "A call with another token is refused.",
			Request: token("wrong"), Want: unauthorized(),
		},
		{
			Name: "empty token", Rule: "A call with an empty token is refused.",
			Request: token(""), Want: unauthorized(),
		},
		{
			Name: "token in capitals", Rule: "Tokens are compared with regard to case.",
			Request: token("SECRET"), Want: unauthorized(),
		},
		{
			Name: "beginning of the token", Rule: "A token is compared as a whole.",
			Request: token("secre"), Want: unauthorized(),
		},
		{
			Name: "token and more", Rule: "A token with something behind it is another token.",
			Request: token("secret2"), Want: unauthorized(),
		},
		{
			Name: "blanks around the token", Rule: "Blanks around a token are not part of it.",
			Request: token(" \t secret \t "), Want: result(`8`), HTTP1Only: true,
		},
		{
			Name: "bearer in the token header", Rule: "The token header holds the token alone, without Bearer.",
			Request: token("Bearer secret"), Want: unauthorized(),
		},
		{
			Name: "token in Authorization", Rule: "Authorization is not read unless it is the configured header.",
			Request: authorization("Bearer secret"), Want: unauthorized(),
		},
		{
			Name: "token twice", Rule: "A repeated token header is refused, even if both are right.",
			Request: token("secret").with("x-runner-token", "secret"), Want: unauthorized(),
		},
		{
			Name: "right token behind a wrong one", Rule: "A repeated token header is refused, whichever is right.",
			Request: token("wrong").with("x-runner-token", "secret"), Want: unauthorized(),
		},
		{
			Name: "token beyond ASCII", Rule: "A token beyond ASCII may be sent in UTF-8.",
			Setup: Setup{Tokens: []string{"clé"}}, Request: token("clé"), Want: result(`8`),
		},
		{
			Name: "token in Latin-1", Rule: "A token beyond ASCII may be sent in Latin-1, as JavaScript does it.",
			Setup: Setup{Tokens: []string{"clé"}}, Request: token("cl\xe9"), Want: result(`8`),
		},
		{
			Name: "token in the query", Rule: "A token in the query is not read.",
			Request: post(addPath+"?x-runner-token=secret&token=secret", addBody).noToken(), Want: unauthorized(),
		},
		{
			Name: "event", Rule: "Events need the token as tasks do.",
			Request: event("notify", `{}`).noToken(), Want: unauthorized(),
		},
		{
			Name: "first of several tokens", Rule: "Any of several tokens lets the caller in.",
			Setup:   Setup{Tokens: []string{"secret", "other"}},
			Request: token("secret"), Want: result(`8`),
		},
		{
			Name: "last of several tokens", Rule: "Every one of several tokens lets the caller in.",
			Setup:   Setup{Tokens: []string{"other", "secret"}},
			Request: token("secret"), Want: result(`8`),
		},
		{
			Name: "none of several tokens", Rule: "A token that is none of several is refused.",
			Setup:   Setup{Tokens: []string{"other", "another"}},
			Request: token("secret"), Want: unauthorized(),
		},
		{
			Name: "configured header", Rule: "The token is read from the configured header, whose case does not matter.",
			Setup:   Setup{TokenHeader: "x-MY-token"},
			Request: add().noToken().with("X-My-Token", "secret"), Want: result(`8`),
		},
		{
			Name: "default header with another configured", Rule: "A configured header replaces the default one.",
			Setup:   Setup{TokenHeader: "x-my-token"},
			Request: token("secret"), Want: unauthorized(),
		},
		{
			Name: "Authorization with Bearer", Rule: "In Authorization the token may follow Bearer.",
			Setup:   inAuthorization,
			Request: authorization("Bearer secret"), Want: result(`8`),
		},
		{
			Name: "Authorization with bearer in lower case", Rule: "The case of Bearer does not matter.",
			Setup:   inAuthorization,
			Request: authorization("bearer secret"), Want: result(`8`),
		},
		{
			Name: "Authorization without Bearer", Rule: "In Authorization the token may stand alone.",
			Setup:   inAuthorization,
			Request: authorization("secret"), Want: result(`8`),
		},
		{
			Name: "Authorization with another scheme", Rule: "In Authorization no scheme but Bearer is read.",
			Setup:   inAuthorization,
			Request: authorization("Basic secret"), Want: unauthorized(),
		},
		{
			Name: "Authorization with an empty token", Rule: "Bearer without a token is refused.",
			Setup:   Setup{TokenHeader: "authorization", Tokens: []string{"secret", ""}},
			Request: authorization("Bearer "), Want: unauthorized(),
		},
		{
			Name: "nothing configured", Rule: "Without anything to authenticate with, every call is refused as not configured.",
			Setup:   Setup{Tokens: none},
			Request: add(), Want: notConfigured,
		},
		{
			Name: "nothing configured but an empty token", Rule: "A list of nothing but empty tokens counts as not configured.",
			Setup:   Setup{Tokens: []string{"", ""}},
			Request: add().noToken(), Want: notConfigured,
		},
		{
			Name: "empty token in the list and none sent", Rule: "An empty token in the list does not let in a caller without one.",
			Setup:   Setup{Tokens: []string{"", "secret"}},
			Request: add().noToken(), Want: unauthorized(),
		},
		{
			Name: "empty token in the list and sent", Rule: "An empty token in the list does not let in a caller with an empty one.",
			Setup:   Setup{Tokens: []string{"", "secret"}},
			Request: token(""), Want: unauthorized(),
		},
		{
			Name: "anonymous", Rule: "Anonymous access lets everybody in where nothing else is configured.",
			Setup:   Setup{Tokens: none, AllowAnonymous: true},
			Request: add().noToken(), Want: result(`8`),
		},
		{
			Name: "anonymous with a token", Rule: "Anonymous access lets in callers with any token.",
			Setup:   Setup{Tokens: none, AllowAnonymous: true},
			Request: token("whatever"), Want: result(`8`),
		},
		{
			Name: "anonymous beside tokens", Rule: "Anonymous access counts for nothing beside tokens.",
			Setup:   Setup{AllowAnonymous: true},
			Request: add().noToken(), Want: unauthorized(),
		},
		{
			Name: "anonymous beside a validator", Rule: "Anonymous access counts for nothing beside a validator.",
			Setup:   Setup{Tokens: none, AllowAnonymous: true, Authenticate: ask},
			Request: add().noToken(), Want: unauthorized(),
		},
		{
			Name: "validator says yes", Rule: "A validator lets in a caller without a token.",
			Setup:   Setup{Tokens: none, Authenticate: ask},
			Request: add().noToken().with("x-ticket", "good"), Want: result(`8`),
		},
		{
			Name: "validator says no", Rule: "A validator's reason does not reach the caller.",
			Setup:   Setup{Tokens: none, Authenticate: ask},
			Request: add().noToken().with("x-ticket", "bad"), Want: unauthorized(),
		},
		{
			Name: "validator with an error of its own", Rule: "A validator may answer with a public error.",
			Setup:   Setup{Tokens: none, Authenticate: ask},
			Request: add().noToken().with("x-ticket", "limited"),
			Want:    failure(http.StatusTooManyRequests, "RATE_LIMITED", "Too many requests").with("Retry-After", "2"),
		},
		{
			Name: "token beside a validator", Rule: "A valid token is enough where a validator would say no.",
			Setup:   Setup{Authenticate: ask},
			Request: add().with("x-ticket", "bad"), Want: result(`8`),
		},
		{
			Name: "validator beside a wrong token", Rule: "A validator is asked about a caller with a wrong token.",
			Setup:   Setup{Authenticate: ask},
			Request: token("wrong").with("x-ticket", "good"), Want: result(`8`),
		},
	}
}
