package client_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/client"
	"github.com/bluelibs/go-tunnel/protocol/lane"
	"github.com/bluelibs/go-tunnel/protocol/serializer"
)

var laneSecret = []byte("a secret of the tests")

func laneSigner(t *testing.T, header string) *lane.Signer {
	signer, err := lane.NewSigner(lane.Signing{Lane: "billing", Key: laneSecret, Header: header})
	require.NoError(t, err)
	return signer
}

// checkLane answers 401 to calls that a served lane would not let in.
func checkLane(t *testing.T, header string, got *[]*protocol.Call) http.HandlerFunc {
	v, err := lane.NewVerifier(lane.Auth{Lane: "billing", Key: laneSecret, Header: header})
	require.NoError(t, err)
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		kind, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/__runner/"), "/")
		call := &protocol.Call{ID: id, Header: r.Header}
		if kind == "event" {
			call.Kind = protocol.KindEvent
		}
		if protocol.BodyModeOf(r.Header) == protocol.BodyJSON {
			call.Payload, call.ReturnPayload, err = protocol.ParsePayload(call.Kind, body)
			assert.NoError(t, err)
		} else {
			call.Body = http.NoBody
		}
		*got = append(*got, call)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		err := v.Confirm(call)
		if err == nil && lane.Claim(call) == "" {
			_, _ = io.WriteString(w, okAnswer)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"ok":false,"error":{"message":"Unauthorized","code":"UNAUTHORIZED"}}`)
	}
}

func TestLane(t *testing.T) {
	for _, header := range []string{"", "x-lane-token"} {
		var got []*protocol.Call
		c := serve(t, checkLane(t, header, &got), func(cfg *client.Config) {
			cfg.Codec = new(serializer.Codec)
		})
		with := client.WithLane(laneSigner(t, header))
		for name, in := range map[string]any{
			"value": map[string]any{"10": 1, "9": 2, "a": "\u2028<&>"}, "none": nil, "date": time.Unix(0, 0),
			"error": &serializer.Error{Message: "m", Stack: "s", Cause: serializer.RegExp{Pattern: "a", Flags: "g"}}, "body": strings.NewReader("abc"),
		} {
			_, err := client.Task[any](bounded(t), c, "app.charge", in, with)
			assert.NoError(t, err, name)
		}
		assert.NoError(t, client.Event(bounded(t), c, "app.charged", 1, with))
		_, err := client.EventWithResult[any](bounded(t), c, "app.charged", map[string]any{"a": 1.5e300}, with)
		assert.NoError(t, err)
		for _, call := range got {
			assert.Equal(t, "secret", call.Header.Get("X-Runner-Token"))
		}
		_, err = client.Task[any](bounded(t), c, "app.charge", 1)
		assert.ErrorContains(t, err, "UNAUTHORIZED")
	}
}

// Plain JSON of any spelling has the hash of what Runner makes of it.
func TestLaneOfPlainJSON(t *testing.T) {
	var got []*protocol.Call
	c := serve(t, checkLane(t, "", &got))
	_, err := client.Task[any](bounded(t), c, "app.charge", map[string]any{"b": "\u2028", "10": 1e21, "9": 0.1}, client.WithLane(laneSigner(t, "")))
	assert.NoError(t, err)
}

func TestWithHeader(t *testing.T) {
	var got []received
	c := serve(t, recording(&got, okAnswer), func(cfg *client.Config) { cfg.Header = http.Header{"X-A": {"1"}} })
	_, err := client.Task[any](bounded(t), c, "a", 1, client.WithHeader("x-a", "2"), client.WithHeader("Content-Type", "text/plain"))
	require.NoError(t, err)
	_, err = client.Task[any](bounded(t), c, "a", 1)
	require.NoError(t, err)
	assert.Equal(t, []string{"2"}, got[0].header["X-A"])
	assert.Equal(t, "application/json; charset=utf-8", got[0].header.Get("Content-Type"))
	assert.Equal(t, []string{"1"}, got[1].header["X-A"], "for one call alone")
}
