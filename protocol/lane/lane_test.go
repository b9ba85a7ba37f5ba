package lane

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/bluelibs/go-tunnel/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var secret = []byte("a secret of the tests")

// sha is the hash of a body.
func sha(body string) string {
	hash := hashOf([]byte(body))
	return string(hash[:])
}

// pair is a key to sign with and the one to check with.
type pair struct{ private, public any }

func pairs(t testing.TB) map[string]pair {
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	es, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return map[string]pair{
		"HS256": {secret, secret}, "EdDSA": {ed, edPublic}, "ES256": {es, &es.PublicKey}, "RS256": {rs, &rs.PublicKey},
	}
}

func newCall(id, payload string) *protocol.Call {
	call := &protocol.Call{ID: id, Header: http.Header{}}
	if payload != "" {
		call.Payload = []byte(payload)
	}
	return call
}

func verifier(t testing.TB, change ...func(*Auth)) *Verifier {
	auth := Auth{Lane: "billing", Key: secret}
	for _, f := range change {
		f(&auth)
	}
	v, err := NewVerifier(auth)
	require.NoError(t, err)
	return v
}

func requireUnauthorized(t testing.TB, err error, reason string) {
	t.Helper()
	require.Error(t, err)
	public := protocol.Public(err)
	assert.Equal(t, protocol.CodeUnauthorized, public.Code)
	assert.Equal(t, "Unauthorized", cmp.Or(public.Message, "Unauthorized"), "the reason is private")
	assert.ErrorContains(t, err, reason)
}

func TestSignedCallsAreVerified(t *testing.T) {
	all := pairs(t)
	for name, keys := range all {
		signer, err := NewSigner(Signing{Lane: "billing", Key: keys.private, KeyID: "k"})
		require.NoError(t, err)
		for other, checked := range all {
			v := verifier(t, func(a *Auth) { a.Key = checked.public })
			call := newCall("app.charge", `{"a":1}`)
			require.NoError(t, signer.Sign(call.Header, call.Kind, call.ID, []byte(`{"input":{"a":1}}`)))
			if name == other {
				require.NoError(t, v.Admit(call), name)
				require.NoError(t, v.Confirm(call), name)
				assert.Empty(t, Claim(call))
			} else {
				requireUnauthorized(t, v.Admit(call), "the token is signed by ")
			}
		}
	}
}

// minted is a token of any claims, signed by the secret.
func minted(t testing.TB, claims jwt.MapClaims) string {
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
	require.NoError(t, err)
	return text
}

// resigned is a token with another header.
func resigned(t testing.TB, header, payload string) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + payload
	signature, err := jwt.SigningMethodHS256.Sign(signed, secret)
	require.NoError(t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

const now = 1_700_000_000

func rightClaims(body string) jwt.MapClaims {
	return jwt.MapClaims{
		"lane": "billing", "cap": "produce", "kind": "rpc-task", "target": "app.charge", "iat": now, "exp": now + 60, "hash": sha(body),
	}
}

// The hash of nothing is a fact of SHA-256, not of this package.
func TestHash(t *testing.T) {
	assert.Equal(t, "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", sha(""))
	call := &protocol.Call{Kind: protocol.KindEvent, Payload: []byte("1")}
	assert.Equal(t, `{"payload":1}`, string(bytes.Join(bodyOf(call), nil)))
	call.ReturnPayload = true
	assert.Equal(t, `{"payload":1,"returnPayload":true}`, string(bytes.Join(bodyOf(call), nil)))
	call.Payload = nil
	assert.Equal(t, `{"payload":{"__type":"Undefined","value":null},"returnPayload":true}`, string(bytes.Join(bodyOf(call), nil)))
}

func TestClaims(t *testing.T) {
	const body = `{"input":{"a":1}}`
	for name, tc := range map[string]struct {
		change func(c jwt.MapClaims)
		reason string // "" for none
	}{
		"right":              {func(jwt.MapClaims) {}, ""},
		"more":               {func(c jwt.MapClaims) { c["aud"], c["nbf"] = 1, now+1000 }, ""},
		"another lane":       {func(c jwt.MapClaims) { c["lane"] = "other" }, "lane"},
		"no lane":            {func(c jwt.MapClaims) { delete(c, "lane") }, "lane"},
		"consume":            {func(c jwt.MapClaims) { c["cap"] = "consume" }, "cap"},
		"event":              {func(c jwt.MapClaims) { c["kind"] = "rpc-event" }, "kind"},
		"another target":     {func(c jwt.MapClaims) { c["target"] = "charge" }, "target"},
		"expired":            {func(c jwt.MapClaims) { c["exp"] = now - 31 }, "expired"},
		"expired in time":    {func(c jwt.MapClaims) { c["exp"] = now - 30 }, ""},
		"future":             {func(c jwt.MapClaims) { c["iat"] = now + 31 }, "future"},
		"future in time":     {func(c jwt.MapClaims) { c["iat"] = now + 30 }, ""},
		"no exp":             {func(c jwt.MapClaims) { delete(c, "exp") }, "when"},
		"exp of a fraction":  {func(c jwt.MapClaims) { c["exp"] = now - 29.5 }, ""},
		"exp with a power":   {func(c jwt.MapClaims) { c["exp"] = 1e300 }, ""},
		"exp below zero":     {func(c jwt.MapClaims) { c["exp"] = -1 }, "expired"},
		"exp of a string":    {func(c jwt.MapClaims) { c["exp"] = "9999999999" }, "when"},
		"iat of null":        {func(c jwt.MapClaims) { c["iat"] = nil }, "when"},
		"hash of a number":   {func(c jwt.MapClaims) { c["hash"] = 1 }, "no text"},
		"no hash":            {func(c jwt.MapClaims) { delete(c, "hash") }, "no hash"},
		"another hash":       {func(c jwt.MapClaims) { c["hash"] = sha(`{"input":{"a":2}}`) }, "another body"},
		"empty hash":         {func(c jwt.MapClaims) { c["hash"] = "" }, "another body"},
		"hash with a blank":  {func(c jwt.MapClaims) { c["hash"] = sha(body) + " " }, "another body"},
		"hash of other case": {func(c jwt.MapClaims) { c["hash"] = strings.ToUpper(sha(body)) }, "another body"},
	} {
		v := verifier(t)
		v.now = func() time.Time { return time.Unix(now, 999_999_999) }
		claims := rightClaims(body)
		tc.change(claims)
		call := newCall("app.charge", `{"a":1}`)
		call.Header.Set("Authorization", "Bearer "+minted(t, claims))
		err := v.Admit(call)
		if err == nil {
			err = v.Confirm(call)
		}
		if tc.reason == "" {
			assert.NoError(t, err, name)
		} else {
			requireUnauthorized(t, err, tc.reason)
		}
	}
}

func TestTokens(t *testing.T) {
	right := minted(t, rightClaims(`{"input":1}`))
	parts := strings.Split(right, ".")
	require.Equal(t, usualHeader("HS256"), parts[0])
	for name, tc := range map[string]struct {
		header http.Header
		admits bool
	}{
		"Bearer":              {http.Header{"Authorization": {"Bearer " + right}}, true},
		"bearer":              {http.Header{"Authorization": {"bearer  " + right + " "}}, true},
		"bare":                {http.Header{"Authorization": {right}}, true},
		"first of two":        {http.Header{"Authorization": {"Bearer " + right, "x"}}, true},
		"second of two":       {http.Header{"Authorization": {"x", "Bearer " + right}}, false},
		"none":                {http.Header{}, false},
		"empty":               {http.Header{"Authorization": {""}}, false},
		"Bearer alone":        {http.Header{"Authorization": {"Bearer "}}, false},
		"another scheme":      {http.Header{"Authorization": {"Basic " + right}}, false},
		"two parts":           {http.Header{"Authorization": {parts[0] + "." + parts[1]}}, false},
		"no signature":        {http.Header{"Authorization": {parts[0] + "." + parts[1] + "."}}, false},
		"four parts":          {http.Header{"Authorization": {right + ".x"}}, false},
		"alg none":            {http.Header{"Authorization": {"eyJhbGciOiJub25lIn0." + parts[1] + "."}}, false},
		"another alg":         {http.Header{"Authorization": {usualHeader("RS256") + "." + parts[1] + "." + parts[2]}}, false},
		"header of its own":   {http.Header{"Authorization": {resigned(t, `{ "typ": "x", "alg": "HS256", "n": 1 }`, parts[1])}}, true},
		"no alg":              {http.Header{"Authorization": {resigned(t, `{"typ":"JWT"}`, parts[1])}}, false},
		"header of no JSON":   {http.Header{"Authorization": {resigned(t, `{"alg":"HS256"`, parts[1])}}, false},
		"long":                {http.Header{"Authorization": {right + strings.Repeat("A", maxToken)}}, false},
		"header of the lanes": {http.Header{"X-Lane": {right}}, false},
	} {
		v := verifier(t)
		v.now = func() time.Time { return time.Unix(now, 0) }
		call := newCall("app.charge", "1")
		call.Header = tc.header
		if err := v.Admit(call); tc.admits {
			assert.NoError(t, err, name)
		} else {
			require.Error(t, err, name)
			requireUnauthorized(t, err, "lane billing")
		}
	}
	v := verifier(t, func(a *Auth) { a.Header = "x-lane" })
	v.now = func() time.Time { return time.Unix(now, 0) }
	call := newCall("app.charge", "1")
	call.Header = http.Header{"X-Lane": {right}}
	assert.NoError(t, v.Admit(call))
	call = newCall("app.charge", "1")
	call.Header = http.Header{"X-Lane": {"Bearer " + right}}
	requireUnauthorized(t, v.Admit(call), "")
	call.Header = http.Header{"X-Lane": {right, right}}
	requireUnauthorized(t, v.Admit(call), "")
}

// A ticket is good for what it was given for.
func TestTicket(t *testing.T) {
	signer, err := NewSigner(Signing{Lane: "billing", Key: secret})
	require.NoError(t, err)
	v := verifier(t)
	call := newCall("app.charge", "1")
	require.NoError(t, signer.Sign(call.Header, call.Kind, call.ID, []byte(`{"input":1}`)))
	require.NoError(t, v.Admit(call))
	call.ID = "app.refund"
	requireUnauthorized(t, v.Confirm(call), "target")
	call.ID, call.Kind = "app.charge", protocol.KindEvent
	requireUnauthorized(t, v.Confirm(call), "kind")
	call.Kind = protocol.KindTask
	requireUnauthorized(t, verifier(t, func(a *Auth) { a.Lane = "other" }).Confirm(call), "lane")
	call.Ticket, call.Header = "made up", http.Header{}
	requireUnauthorized(t, v.Confirm(call), "no token")
	require.NoError(t, (*Verifier)(nil).Admit(call))
	require.NoError(t, (*Verifier)(nil).Confirm(call))
	call = newCall("app.charge", `{"__type":"Date","value":0}`)
	require.NoError(t, signer.Sign(call.Header, call.Kind, call.ID, []byte(`{"input":1}`)))
	require.NoError(t, v.Confirm(call))
	require.NotEmpty(t, Claim(call))
	require.NoError(t, (*Verifier)(nil).ConfirmExact(call), "who has no lane leaves the claim to others")
	header := http.Header{}
	require.NoError(t, (*Signer)(nil).Sign(header, protocol.KindTask, "app.charge", nil))
	assert.Empty(t, header, "none signs nothing")
}

func TestBodies(t *testing.T) {
	for name, tc := range map[string]struct {
		payload, hashed string
		want            string // "ok", "open" or "refused"
	}{
		"as it is":       {`{"a":1}`, `{"input":{"a":1}}`, "ok"},
		"blanks":         {`{ "a" : 1 }`, `{"input":{"a":1}}`, "ok"},
		"numbers":        {`[1.0,1e2,-0]`, `{"input":[1,100,0]}`, "ok"},
		"order":          {`{"b":1,"10":2,"9":3}`, `{"input":{"9":3,"10":2,"b":1}}`, "ok"},
		"none":           {"", `{"input":{"__type":"Undefined","value":null}}`, "ok"},
		"another":        {`{"a":2}`, `{"input":{"a":1}}`, "refused"},
		"type":           {`{"__type":"Date","value":0}`, `{"input":{"__type":"Date","value":"1970-01-01T00:00:00.000Z"}}`, "open"},
		"type, as it is": {`{"__type":"Date","value":"x"}`, `{"input":{"__type":"Date","value":"x"}}`, "ok"},
		"prototype":      {`{"a":1,"__proto__":2}`, `{"input":{"a":1}}`, "open"},
		"escaped name":   {`{"\u005f_type":1}`, `{"input":{"a":1}}`, "open"},
		"infinite":       {`1e999`, `{"input":1}`, "open"},
		"surrogate":      {`"\ud800"`, `{"input":1}`, "open"},
	} {
		v := verifier(t)
		v.now = func() time.Time { return time.Unix(now, 0) }
		call := newCall("app.charge", tc.payload)
		call.Header.Set("Authorization", minted(t, rightClaims(tc.hashed)))
		err := v.Confirm(call)
		switch tc.want {
		case "refused":
			requireUnauthorized(t, err, "another body")
		case "open":
			require.NoError(t, err, name)
			assert.Equal(t, sha(tc.hashed), Claim(call), name)
			requireUnauthorized(t, v.ConfirmExact(call), "spelling")
		default:
			require.NoError(t, err, name)
			assert.Empty(t, Claim(call), name)
			require.NoError(t, v.ConfirmExact(call), name)
		}
	}
}

func TestUnbound(t *testing.T) {
	v := verifier(t, func(a *Auth) { a.Unbound = true })
	v.now = func() time.Time { return time.Unix(now, 0) }
	claims := rightClaims(`{"input":2}`)
	call := newCall("app.charge", "1")
	call.Header.Set("Authorization", minted(t, claims))
	requireUnauthorized(t, v.Confirm(call), "another body")
	delete(claims, "hash")
	confirm := func() error {
		call = newCall("app.charge", "1")
		call.Header.Set("Authorization", minted(t, claims))
		return v.Confirm(call)
	}
	require.NoError(t, confirm())
	delete(claims, "kind")
	delete(claims, "target")
	require.NoError(t, confirm())
	for name, wrong := range map[string]any{"kind": "rpc-event", "target": "app.other"} {
		claims[name] = wrong
		requireUnauthorized(t, confirm(), name)
		claims[name] = nil
		requireUnauthorized(t, confirm(), name)
		delete(claims, name)
	}
}

// A hash that is none is not one that only the application's serializer can tell.
func TestNoHashIsLeftOpen(t *testing.T) {
	for _, hash := range []any{"", "x", sha("") + "A", sha("")[:hashSize-1]} {
		v := verifier(t)
		v.now = func() time.Time { return time.Unix(now, 0) }
		claims := rightClaims("")
		claims["hash"] = hash
		call := newCall("app.charge", `{"__type":"Date","value":0}`)
		call.Header.Set("Authorization", minted(t, claims))
		requireUnauthorized(t, v.Confirm(call), "another body")
		requireUnauthorized(t, v.ConfirmExact(call), "another body")
	}
}

// Forms and raw bodies have no hash.
func TestBytesHaveNoHash(t *testing.T) {
	v := verifier(t)
	signer, err := NewSigner(Signing{Lane: "billing", Key: secret})
	require.NoError(t, err)
	call := newCall("app.charge", "")
	require.NoError(t, signer.Sign(call.Header, call.Kind, call.ID, nil))
	call.Body = http.NoBody
	require.NoError(t, v.Confirm(call))
	call.Body = nil
	requireUnauthorized(t, v.Confirm(call), "no hash")
}

func TestKeys(t *testing.T) {
	all := pairs(t)
	other, otherPrivate, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	v := verifier(t, func(a *Auth) { a.Key, a.Keys = other, map[string]any{"new": all["EdDSA"].public} })
	for _, tc := range []struct {
		kid    string
		key    any
		admits bool
	}{
		{"new", all["EdDSA"].private, true}, {"new", otherPrivate, false},
		{"", otherPrivate, true}, {"x", otherPrivate, true}, {"", all["EdDSA"].private, false},
	} {
		signer, err := NewSigner(Signing{Lane: "billing", Key: tc.key, KeyID: tc.kid})
		require.NoError(t, err)
		call := newCall("app.charge", "1")
		require.NoError(t, signer.Sign(call.Header, call.Kind, call.ID, nil))
		assert.Equal(t, tc.admits, v.Admit(call) == nil, "%+v", tc)
	}
}

func TestWrongKeys(t *testing.T) {
	all := pairs(t)
	short, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	for name, auth := range map[string]Auth{
		"none": {Lane: "a"}, "empty": {Lane: "a", Key: []byte{}}, "a string": {Lane: "a", Key: "secret"}, "no lane": {Key: secret},
		"private": {Lane: "a", Key: all["EdDSA"].private}, "private EC": {Lane: "a", Key: all["ES256"].private},
		"private RSA": {Lane: "a", Key: all["RS256"].private}, "P-384": {Lane: "a", Key: &short.PublicKey},
		"mixed":            {Lane: "a", Key: secret, Keys: map[string]any{"k": all["EdDSA"].public}},
		"one that is none": {Lane: "a", Key: secret, Keys: map[string]any{"k": 1}},
	} {
		_, err := NewVerifier(auth)
		assert.ErrorContains(t, err, "lane: ", name)
	}
	for name, signing := range map[string]Signing{
		"none": {Lane: "a"}, "no lane": {Key: secret}, "public": {Lane: "a", Key: all["RS256"].public}, "public EC": {Lane: "a", Key: all["ES256"].public},
	} {
		_, err := NewSigner(signing)
		assert.ErrorContains(t, err, "lane: ", name)
	}
}

func TestParse(t *testing.T) {
	for name, keys := range pairs(t) {
		if name == "HS256" {
			continue
		}
		der, err := x509.MarshalPKIXPublicKey(keys.public)
		require.NoError(t, err)
		public, err := ParsePublicKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		require.NoError(t, err)
		assert.Equal(t, keys.public, public)
		der, err = x509.MarshalPKCS8PrivateKey(keys.private)
		require.NoError(t, err)
		private, err := ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		require.NoError(t, err)
		assert.Equal(t, keys.private, private)
	}
	for _, text := range []string{"", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"} {
		_, err := ParsePublicKey([]byte(text))
		assert.ErrorContains(t, err, "lane: ")
		_, err = ParsePrivateKey([]byte(text))
		assert.ErrorContains(t, err, "lane: ")
	}
}

func TestSkew(t *testing.T) {
	for _, tc := range []struct {
		skew   time.Duration
		exp    int64
		admits bool
	}{
		{0, now - 30, true}, {0, now - 31, false}, {1, now, true}, {1, now - 1, false}, {1500 * time.Millisecond, now - 1, true},
		{time.Hour, now - 3600, true}, {-5 * time.Second, now + 5, true}, {-5 * time.Second, now + 4, false}, {-4500 * time.Millisecond, now + 4, false},
	} {
		v := verifier(t, func(a *Auth) { a.Skew = tc.skew })
		v.now = func() time.Time { return time.Unix(now, 0) }
		claims := rightClaims("")
		claims["exp"], claims["iat"] = tc.exp, now-100
		call := newCall("app.charge", "1")
		call.Header.Set("Authorization", minted(t, claims))
		assert.Equal(t, tc.admits, v.Admit(call) == nil, "%+v", tc)
	}
}

func FuzzAdmit(f *testing.F) {
	f.Add("Bearer x", "1")
	f.Add("eyJhbGciOiJub25lIn0.e30.", `{"__type":1}`)
	v := verifier(f)
	f.Fuzz(func(t *testing.T, header, payload string) {
		call := newCall("app.charge", payload)
		call.Header["Authorization"] = []string{header}
		if v.Admit(call) == nil {
			t.Fatal("nobody but the holder of the secret can make a token")
		}
	})
}
