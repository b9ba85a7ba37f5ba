package ipc

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/lane"
)

const laneSecret = "a secret of the tests"

// startAnnounced starts a worker that says this hello and tells what it gets.
func startAnnounced(t testing.TB, hello string, change ...func(*Options)) (*Pool, error) {
	opts := Options{
		Command: []string{os.Args[0]},
		Env:     append(os.Environ(), "IPC_TEST_WORKER=framed: polite", "IPC_TEST_HELLO="+hello),
		Logger:  discard,
	}
	for _, f := range change {
		f(&opts)
	}
	pool, err := Start(t.Context(), opts)
	if err == nil {
		t.Cleanup(func() { require.NoError(t, pool.Close()) })
	}
	return pool, err
}

func laneHello(lanes string) string {
	return `{"type":"hello","wire":1,"tasks":["app.charge","app.free"],"events":["app.charged"],"auth":false,"aliases":{"charge":"app.charge","x":"app.absent"},"lanes":[` + lanes + `]}`
}

const billing = `{"lane":"billing","header":"authorization","skew":30000,"secret":"` + laneSecret + `","tasks":["app.charge"],"events":["app.charged"]}`

func laneCall(t testing.TB, kind protocol.Kind, id, payload, hashed string) *protocol.Call {
	call := &protocol.Call{Kind: kind, ID: id, Payload: []byte(payload), Header: http.Header{}}
	signer, err := lane.NewSigner(lane.Signing{Lane: "billing", Key: []byte(laneSecret)})
	require.NoError(t, err)
	require.NoError(t, signer.Sign(call.Header, kind, id, []byte(hashed)))
	return call
}

// messageOf returns what the worker got.
func messageOf(t testing.TB, reply *protocol.Reply) (message map[string]any) {
	var got struct{ Message map[string]any }
	require.NoError(t, json.Unmarshal(reply.Value, &got))
	return got.Message
}

// Calls that their lane refuses cost the worker nothing: it never hears of them.
func TestLanes(t *testing.T) {
	pool, err := startAnnounced(t, laneHello(billing))
	require.NoError(t, err)
	assert.Equal(t, "app.charge", pool.List().Resolve(protocol.KindTask, "charge"))
	assert.Equal(t, "x", pool.List().Resolve(protocol.KindTask, "x"))
	right := func() *protocol.Call {
		return laneCall(t, protocol.KindTask, "app.charge", `{"a":1}`, `{"input":{"a":1}}`)
	}
	for name, change := range map[string]func(*protocol.Call){
		"no token":         func(c *protocol.Call) { c.Header = http.Header{} },
		"no header at all": func(c *protocol.Call) { c.Header = nil },
		"another body":     func(c *protocol.Call) { c.Payload = []byte(`{"a":2}`) },
		"another id":       func(c *protocol.Call) { c.Kind, c.ID = protocol.KindEvent, "app.charged" },
		"garbage":          func(c *protocol.Call) { c.Header.Set("Authorization", "Bearer x.y.z") },
	} {
		call := right()
		change(call)
		_, err := pool.Execute(t.Context(), call)
		requireCode(t, protocol.CodeUnauthorized, err)
		if name != "another body" {
			requireCode(t, protocol.CodeUnauthorized, pool.Admit(call))
		}
		requireCode(t, protocol.CodeUnauthorized, pool.Confirm(call))
	}
	call := right()
	require.NoError(t, pool.Admit(call))
	require.NoError(t, pool.Confirm(call))
	reply, err := pool.Execute(t.Context(), call)
	require.NoError(t, err)
	message := messageOf(t, reply)
	assert.EqualValues(t, 1, message["id"], "it is the first message")
	assert.NotContains(t, message, "hash")

	reply, err = pool.Execute(t.Context(), &protocol.Call{ID: "app.free"})
	require.NoError(t, err, "it is on no lane")
	assert.EqualValues(t, 2, messageOf(t, reply)["id"])
	reply, err = pool.Execute(t.Context(), laneCall(t, protocol.KindEvent, "app.charged", "1", `{"payload":1}`))
	require.NoError(t, err)
	assert.EqualValues(t, 3, messageOf(t, reply)["id"])

	// What only the serializer of the application can tell is told to the worker.
	call = laneCall(t, protocol.KindTask, "app.charge", `{"__type":"Date","value":0}`, `{"input":"1970"}`)
	reply, err = pool.Execute(t.Context(), call)
	require.NoError(t, err)
	assert.Equal(t, lane.Claim(call), messageOf(t, reply)["hash"])
}

func TestLanesWithKeys(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	text, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	require.NoError(t, err)
	pool, err := startAnnounced(t, laneHello(fmt.Sprintf(
		`{"lane":"billing","header":"x-lane","skew":0,"key":%s,"keys":{"k":%[1]s},"tasks":["app.charge"],"events":[],"unbound":true}`, text)))
	require.NoError(t, err)
	signer, err := lane.NewSigner(lane.Signing{Lane: "billing", Key: private, KeyID: "k", Header: "x-lane"})
	require.NoError(t, err)
	call := &protocol.Call{ID: "app.charge", Payload: []byte("1"), Header: http.Header{}}
	require.NoError(t, signer.Sign(call.Header, call.Kind, call.ID, nil))
	require.NoError(t, pool.Confirm(call), "callers before 6.4 send no hash")
}

// Lanes that cannot be checked are not served, and no secret gets into an error or the log.
func TestLanesThatCannotBeChecked(t *testing.T) {
	for lanes, want := range map[string]string{
		`{"lane":"billing","secret":"","tasks":["app.charge"]}`:                `lane "billing": lane: no PEM block`,
		`{"lane":"","secret":"` + laneSecret + `","tasks":["app.charge"]}`:     `a lane needs an id`,
		`{"lane":"billing","key":"` + laneSecret + `","tasks":["app.charge"]}`: `lane "billing": lane: no PEM block`,
		billing + `,` + strings.ReplaceAll(billing, `"billing"`, `"other"`):    `"app.charge" is on two lanes`,
	} {
		var log logBuffer
		_, err := startAnnounced(t, laneHello(lanes), func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		require.ErrorContains(t, err, "its lanes cannot be checked: ")
		assert.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error()+log.String(), laneSecret)
	}
}
