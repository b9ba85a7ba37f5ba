package differential_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/tests/internal/runner6"
)

type claims map[string]any

// with returns the claims with some changed; nil takes one away.
func (c claims) with(changes claims) claims {
	changed := maps.Clone(c)
	for name, value := range changes {
		if value == nil {
			delete(changed, name)
		} else {
			changed[name] = value
		}
	}
	return changed
}

// sha is the hash of a body as tokens have it.
func sha(body string) string {
	sum := sha256.Sum256([]byte(body))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// laneClaims are those of a right token for a task and a body.
func laneClaims(lane, task, body string) claims {
	now := time.Now().Unix()
	c := claims{"lane": lane, "cap": "produce", "kind": "rpc-task", "target": "app.tasks." + task, "iat": now, "exp": now + 60}
	if body != "" {
		c["hash"] = sha(body)
	}
	return c
}

// mint makes a token of anything, as no library would.
func mint(t testing.TB, key any, header, payload any) string {
	part := func(v any) string {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(header) + "." + part(payload)
	digest := sha256.Sum256([]byte(signed))
	var signature []byte
	var err error
	switch key := key.(type) {
	case []byte:
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(signed))
		signature = mac.Sum(nil)
	case ed25519.PrivateKey:
		signature = ed25519.Sign(key, []byte(signed))
	case *ecdsa.PrivateKey:
		signature, err = ecdsa.SignASN1(rand.Reader, key, digest[:])
	case *rsa.PrivateKey:
		signature, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	require.NoError(t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func alg(name string) map[string]any { return map[string]any{"alg": name, "typ": "JWT"} }

func bearer(token string) string { return "Authorization: Bearer " + token }

// joseES256 signs as RFC 7518 has it, which is not what Runner does.
func joseES256(t testing.TB, key *ecdsa.PrivateKey, payload any) string {
	token := mint(t, key, alg("ES256"), payload)
	signed := token[:strings.LastIndex(token, ".")]
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	require.NoError(t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

const (
	laneInput = `{"input":{"a":1}}`
	undefBody = `{"input":{"__type":"Undefined","value":null}}`
)

func laneCases(t *testing.T, k *runner6.Keys) (cases []exchange) {
	add := func(name, raw string) { cases = append(cases, exchange{name: name, raw: raw}) }
	hs := func(c claims) string { return bearer(mint(t, k.Secret, alg("HS256"), c)) }
	right := laneClaims("hmac", "hmacTask", laneInput)
	call := func(name string, lines ...string) { add(name, rawTask("app.tasks.hmacTask", laneInput, lines...)) }
	changed := func(name string, changes claims) { call(name, hs(right.with(changes))) }
	now := time.Now().Unix()

	call("right", hs(right))
	call("no token")
	call("empty", "Authorization:")
	call("Bearer alone", "Authorization: Bearer")
	call("bare", "Authorization: "+mint(t, k.Secret, alg("HS256"), right))
	call("scheme in lower case", "Authorization: bearer "+mint(t, k.Secret, alg("HS256"), right))
	call("blanks", "Authorization: Bearer   "+mint(t, k.Secret, alg("HS256"), right)+"  ")
	call("another scheme", "Authorization: Basic "+mint(t, k.Secret, alg("HS256"), right))
	call("header twice, the first right", hs(right), "Authorization: Bearer x")
	call("header twice, the second right", "Authorization: Bearer x", hs(right))
	call("no token of the exposure's own use", "X-Lane-Token: "+mint(t, k.Secret, alg("HS256"), right))
	call("another secret", bearer(mint(t, []byte("another"), alg("HS256"), right)))
	call("no JWT", bearer("x"))
	call("two parts", bearer("a.b"))
	call("four parts", bearer(mint(t, k.Secret, alg("HS256"), right)+".x"))
	call("no signature", bearer(strings.Join(strings.Split(mint(t, k.Secret, alg("HS256"), right), ".")[:2], ".")+"."))
	call("cut signature", bearer(strings.TrimSuffix(mint(t, k.Secret, alg("HS256"), right), "A")[:150]))
	call("alg none", bearer(mint(t, nil, alg("none"), right)))
	call("alg none with a signature", bearer(mint(t, k.Secret, alg("none"), right)))
	call("alg HS512", bearer(mint(t, k.Secret, alg("HS512"), right)))
	call("alg RS256", bearer(mint(t, k.Rs, alg("RS256"), right)))
	call("alg in lower case", bearer(mint(t, k.Secret, alg("hs256"), right)))
	call("no alg", bearer(mint(t, k.Secret, map[string]any{"typ": "JWT"}, right)))
	call("header is no object", bearer(mint(t, k.Secret, "HS256", right)))
	call("payload is no object", bearer(mint(t, k.Secret, alg("HS256"), "x")))
	call("payload of null", bearer(mint(t, k.Secret, alg("HS256"), nil)))
	call("kid that is not known", bearer(mint(t, k.Secret, map[string]any{"alg": "HS256", "kid": "x"}, right)))
	for name, changes := range map[string]claims{
		"another lane": {"lane": "open"}, "no lane": {"lane": nil}, "lane by its full id": {"lane": "app.lanes.hmac"}, "lane of a number": {"lane": 1},
		"consume": {"cap": "consume"}, "no cap": {"cap": nil}, "rpc-event": {"kind": "rpc-event"}, "no kind": {"kind": nil},
		"another target": {"target": "app.tasks.add"}, "short target": {"target": "hmacTask"}, "no target": {"target": nil},
		"no iat": {"iat": nil}, "no exp": {"exp": nil}, "iat of a string": {"iat": "1"}, "exp of a string": {"exp": "9999999999"},
		"expired": {"exp": now - 90}, "expired within the skew": {"exp": now - 10}, "future": {"iat": now + 90}, "future within the skew": {"iat": now + 10},
		"exp of a fraction": {"exp": float64(now) + 60.5}, "nbf": {"nbf": now + 1000}, "more claims": {"aud": "x", "sub": "y", "iss": 1},
		"no hash": {"hash": nil}, "another hash": {"hash": sha(`{"input":{"a":2}}`)}, "empty hash": {"hash": ""}, "hash of a number": {"hash": 1},
		"hash in hexadecimal": {"hash": "cafe"},
	} {
		changed(name, changes)
	}

	// The hash is that of the input as Runner writes it again.
	body := func(name, sent, hashed string) {
		add("hash: "+name, rawTask("app.tasks.hmacTask", sent, hs(laneClaims("hmac", "hmacTask", hashed))))
	}
	body("blanks", ` { "input" : { "a" : 1 } } `, laneInput)
	body("numbers", `{"input":[1.0,1e2,-0,0.1e1,1e21,1e-7]}`, `{"input":[1,100,0,1,1e+21,1e-7]}`)
	body("names that are numbers", `{"input":{"b":1,"2":2,"1":3}}`, `{"input":{"1":3,"2":2,"b":1}}`)
	body("name twice", `{"input":{"a":1,"b":2,"a":3}}`, `{"input":{"a":3,"b":2}}`)
	body("escapes", `{"input":"\u0041\/\u00e9\u2028"}`, "{\"input\":\"A/é\u2028\"}")
	body("control characters", `{"input":"\u0001\b\f\n\r\t"}`, `{"input":"\u0001\b\f\n\r\t"}`)
	body("lone surrogate", `{"input":"\ud800"}`, `{"input":"\ud800"}`)
	body("bare", `{"a":1}`, laneInput)
	body("bare array", `[1]`, `{"input":[1]}`)
	body("beside input", `{"x":1,"input":{"a":1}}`, laneInput)
	body("nothing", "", undefBody)
	body("Undefined", undefBody, undefBody)
	body("Date", `{"input":{"__type":"Date","value":"2024-01-02T03:04:05.678Z"}}`, `{"input":{"__type":"Date","value":"2024-01-02T03:04:05.678Z"}}`)
	body("Date in another spelling", `{"input":{"__type":"Date","value":0}}`, `{"input":{"__type":"Date","value":"1970-01-01T00:00:00.000Z"}}`)
	body("Date of another time", `{"input":{"__type":"Date","value":1}}`, `{"input":{"__type":"Date","value":"1970-01-01T00:00:00.000Z"}}`)
	body("number beyond all", `{"input":1e400}`, `{"input":{"__type":"NonFiniteNumber","value":"Infinity"}}`)
	body("name of a prototype", `{"input":{"a":1,"__proto__":2}}`, laneInput)
	body("custom type", `{"input":{"__type":"Point","value":{"x":1,"y":2}}}`, `{"input":{"__type":"Point","value":{"x":1,"y":2}}}`)
	body("another value", `{"input":{"a":2}}`, laneInput)
	body("another type", `{"input":{"a":"1"}}`, laneInput)
	body("raw bytes with blanks", `{"input": {"a":1}}`, `{"input": {"a":1}}`)
	add("malformed body, right token", rawTask("app.tasks.hmacTask", `{"input":`, hs(right)))
	add("malformed body, no hash", rawTask("app.tasks.hmacTask", `{"input":`, hs(right.with(claims{"hash": nil}))))
	add("malformed body, no token", rawTask("app.tasks.hmacTask", `{"input":`))
	add("unknown type, right token", rawTask("app.tasks.hmacTask", `{"input":`+typed("Unknown", "1")+`}`, hs(right)))
	add("by its short name", rawTask("hmacTask", laneInput, hs(right)))
	add("by its short name, without a token", rawTask("hmacTask", laneInput))
	add("token for the exposure is missing", rawRequest("POST", "/__runner/task/app.tasks.hmacTask", laneInput, hs(right), lengthLine(laneInput)))
	add("not listed, no token", rawTask("app.tasks.hidden", laneInput))
	add("discovery without a lane's token", rawGet("/__runner/discovery"))

	form := func(name, lines string) {
		add("form: "+name, rawTask("app.tasks.hmacUpload", uploadForm, formType, lines))
	}
	form("right", hs(laneClaims("hmac", "hmacUpload", "")))
	form("with a hash", hs(laneClaims("hmac", "hmacUpload", "x")))
	form("no token", "X-A: b")
	form("another target", hs(right))
	add("octets: right", rawTask("app.tasks.hmacBody", "abc", octetType, hs(laneClaims("hmac", "hmacBody", ""))))
	add("octets: no token", rawTask("app.tasks.hmacBody", "abc", octetType))

	event := claims{"lane": "hmac", "cap": "produce", "kind": "rpc-event", "target": "app.events.hmacEvent", "iat": now, "exp": now + 60}
	emit := func(name, body, hashed string) {
		add("event: "+name, rawEvent("app.events.hmacEvent", body, hs(event.with(claims{"hash": sha(hashed)}))))
	}
	emit("right", `{"payload":{"a":1}}`, `{"payload":{"a":1}}`)
	emit("returned", `{"payload":{"a":1},"returnPayload":true}`, `{"payload":{"a":1},"returnPayload":true}`)
	emit("returnPayload of 1", `{"payload":{"a":1},"returnPayload":1}`, `{"payload":{"a":1},"returnPayload":true}`)
	emit("returnPayload in the hash only", `{"payload":{"a":1}}`, `{"payload":{"a":1},"returnPayload":true}`)
	emit("returnPayload in the body only", `{"payload":{"a":1},"returnPayload":true}`, `{"payload":{"a":1}}`)
	emit("no payload", "", `{"payload":{"__type":"Undefined","value":null}}`)
	emit("Date", `{"payload":{"__type":"Date","value":0}}`, `{"payload":{"__type":"Date","value":"1970-01-01T00:00:00.000Z"}}`)
	add("event: a task's token", rawEvent("app.events.hmacEvent", laneInput, hs(right)))
	add("event: no token", rawEvent("app.events.hmacEvent", `{"payload":1}`))
	add("event: no hash", rawEvent("app.events.hmacEvent", `{"payload":1}`, hs(event)))

	other := func(task, name, header, lane string, key any, algorithm map[string]any) {
		add(task+": "+name, rawTask("app.tasks."+task, laneInput, header+mint(t, key, algorithm, laneClaims(lane, task, laneInput))))
	}
	const auth = "Authorization: Bearer "
	other("splitTask", "right", auth, "split", k.Secret, alg("HS256"))
	other("splitTask", "the secret to produce with", auth, "split", []byte("another"), alg("HS256"))
	other("headerTask", "right", "X-Lane-Token: ", "header", k.Secret, alg("HS256"))
	other("headerTask", "Bearer", "X-Lane-Token: Bearer ", "header", k.Secret, alg("HS256"))
	other("headerTask", "the usual header", auth, "header", k.Secret, alg("HS256"))
	twice := mint(t, k.Secret, alg("HS256"), laneClaims("header", "headerTask", laneInput))
	add("headerTask: header twice", rawTask("app.tasks.headerTask", laneInput, "X-Lane-Token: "+twice, "X-Lane-Token: "+twice))
	add("strictTask: expired a moment ago", rawTask("app.tasks.strictTask", laneInput,
		hs(laneClaims("strict", "strictTask", laneInput).with(claims{"exp": now - 3}))))
	other("strictTask", "right", auth, "strict", k.Secret, alg("HS256"))
	other("edTask", "right", auth, "ed", k.Ed, alg("EdDSA"))
	other("edTask", "another key", auth, "ed", k.Other, alg("EdDSA"))
	other("edTask", "HS256 by the public key's name", auth, "ed", k.Secret, alg("HS256"))
	other("edTask", "kid", auth, "ed", k.Ed, map[string]any{"alg": "EdDSA", "kid": "any"})
	other("esTask", "right", auth, "es", k.Es, alg("ES256"))
	other("esTask", "EdDSA", auth, "es", k.Ed, alg("EdDSA"))
	add("esTask: signature of RFC 7518", rawTask("app.tasks.esTask", laneInput, auth+joseES256(t, k.Es, laneClaims("es", "esTask", laneInput))))
	other("rsTask", "right", auth, "rs", k.Rs, alg("RS256"))
	other("rsTask", "PS256", auth, "rs", k.Rs, alg("PS256"))
	other("kidsTask", "new", auth, "kids", k.Ed, map[string]any{"alg": "EdDSA", "kid": "new"})
	other("kidsTask", "old", auth, "kids", k.Other, map[string]any{"alg": "EdDSA", "kid": "old"})
	other("kidsTask", "the wrong one", auth, "kids", k.Other, map[string]any{"alg": "EdDSA", "kid": "new"})
	other("kidsTask", "none", auth, "kids", k.Other, alg("EdDSA"))
	other("kidsTask", "none, and the second key", auth, "kids", k.Ed, alg("EdDSA"))
	other("kidsTask", "unknown, and the first key", auth, "kids", k.Other, map[string]any{"alg": "EdDSA", "kid": "x"})
	other("kidsTask", "name of a prototype", auth, "kids", k.Other, map[string]any{"alg": "EdDSA", "kid": "constructor"})
	other("kidsTask", "a number", auth, "kids", k.Other, map[string]any{"alg": "EdDSA", "kid": 1})
	add("noneTask: no token", rawTask("app.tasks.noneTask", laneInput))
	other("chosen", "right", auth, "listed", k.Secret, alg("HS256"))
	other("chosen", "lane of the tag", auth, "open", k.Secret, alg("HS256"))
	add("chosen: no token", rawTask("app.tasks.chosen", laneInput))
	add("chosen event: no token", rawEvent("app.events.chosenEvent", laneInput))
	other("matching", "right", auth, "matched", k.Secret, alg("HS256"))
	add("matching: no token", rawTask("app.tasks.matching", laneInput))
	return cases
}
