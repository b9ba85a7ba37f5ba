package examples

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHybrid(t *testing.T) {
	base := start(t, "hybrid")
	for _, c := range []struct{ path, body, want string }{
		{"/task/app.tasks.add", `{"input": {"a": 5, "b": 3}}`, `{"ok":true,"result":8}`},
		{"/task/app.tasks.greet", `{"input": {"name": "Ada"}}`, `{"ok":true,"result":"Hello, Ada!"}`},
		{"/task/app.tasks.echo", `{"input": [1]}`, `{"ok":true,"result":[1]}`},
		{"/event/app.events.notify", `{"payload": 1}`, `{"ok":true}`},
		{"/task/app.tasks.whoami", ``, `{"ok":true,"result":"nobody"}`},
		{"/task/app.tasks.other", ``, `{"ok":false,"error":{"message":"Task app.tasks.other not exposed","code":"FORBIDDEN"}}`},
		{"/task/app.tasks.add", `{"input": {"a": 5}}`, `{"ok":false,"error":{"message":"Invalid input","code":"INVALID_INPUT","data":{"issues":[{"pointer":"/b","reason":"is missing"}]}}}`},
		{"/task/app.tasks.greet", `{"input": {"name": ""}}`, `{"ok":false,"error":{"message":"Invalid input","code":"INVALID_INPUT","data":{"issues":[{"pointer":"/name","reason":"must have at least 1 characters, has 0"}]}}}`},
	} {
		assert.Equal(t, c.want, post(t, base+c.path, c.body, "x-runner-token", "secret"), c.path)
	}
	discovery := post(t, base+"/discovery", ``, "x-runner-token", "secret")
	assert.Contains(t, discovery, `{"ok":true,"result":{"allowList":{"enabled":true,"tasks":["app.tasks.add","app.tasks.whoami","app.tasks.echo","app.tasks.greet"],"events":["app.events.notify"]},"schemas":{"tasks":{`)
	assert.Contains(t, discovery, `"app.tasks.add":{"$defs":`, "of Go")
	assert.Contains(t, discovery, `"app.tasks.greet":{`, "of Node.js")
	assert.Equal(t, `{"ok":true,"result":"Ada"}`, post(t, base+"/task/app.tasks.whoami", ``, "x-runner-token", "secret", "x-runner-context", `{"app.user":"{\"name\":\"Ada\"}"}`))
}

func TestJWT(t *testing.T) {
	minted, err := exec.Command(build(t, "jwt"), "-mint", "ada", "-key", "k1").Output()
	require.NoError(t, err)
	base := start(t, "jwt", "-key", "k1")
	whoami := func(authorization string) string {
		return post(t, base+"/task/app.tasks.whoami", ``, "authorization", authorization)
	}
	good := strings.TrimSpace(string(minted))
	assert.Equal(t, `{"ok":true,"result":"ada"}`, whoami("Bearer "+good))
	assert.Equal(t, `{"ok":true,"result":""}`, post(t, base+"/task/app.tasks.whoami", ``, "x-runner-token", "secret"), "a token of the protocol")

	now := time.Now().Unix()
	claims := func(changes jwt.MapClaims) jwt.MapClaims {
		all := jwt.MapClaims{"iss": "https://login.example.com", "aud": "go-tunnel", "sub": "ada", "exp": now + 3600}
		for name, value := range changes {
			all[name] = value
			if value == nil {
				delete(all, name)
			}
		}
		return all
	}
	sign := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		token, err := jwt.NewWithClaims(method, claims).SignedString(key)
		require.NoError(t, err)
		return "Bearer " + token
	}
	hs256 := jwt.SigningMethodHS256
	require.Contains(t, whoami(sign(hs256, []byte("k1"), claims(nil))), `"ada"`, "what the others differ from")
	for name, authorization := range map[string]string{
		"none":                 "",
		"another scheme":       "Basic " + good,
		"no scheme":            good,
		"cut":                  "Bearer " + good[:len(good)-2],
		"another key":          sign(hs256, []byte("k2"), claims(nil)),
		"another algorithm":    sign(jwt.SigningMethodHS512, []byte("k1"), claims(nil)),
		"no algorithm":         sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil)),
		"expired":              sign(hs256, []byte("k1"), claims(jwt.MapClaims{"exp": now - 60})),
		"without an expiry":    sign(hs256, []byte("k1"), claims(jwt.MapClaims{"exp": nil})),
		"not yet valid":        sign(hs256, []byte("k1"), claims(jwt.MapClaims{"nbf": now + 600})),
		"another issuer":       sign(hs256, []byte("k1"), claims(jwt.MapClaims{"iss": "https://evil.example.com"})),
		"for somebody else":    sign(hs256, []byte("k1"), claims(jwt.MapClaims{"aud": "another"})),
		"without a subject":    sign(hs256, []byte("k1"), claims(jwt.MapClaims{"sub": nil})),
		"with an odd subject":  sign(hs256, []byte("k1"), claims(jwt.MapClaims{"sub": 5})),
		"token in the scheme":  "Bearer" + good,
		"more than one token":  "Bearer " + good + " " + good,
		"a token of the other": "Bearer secret",
	} {
		assert.Equal(t, `{"ok":false,"error":{"message":"Unauthorized","code":"UNAUTHORIZED"}}`, whoami(authorization), name)
	}
	var last string
	for range 100 { // five a second, and this does not take twenty seconds
		last = whoami("Bearer " + good)
		if strings.Contains(last, "RATE_LIMITED") {
			break
		}
	}
	assert.Equal(t, `{"ok":false,"error":{"message":"Too many requests","code":"RATE_LIMITED"}}`, last)
}
