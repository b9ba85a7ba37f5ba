package standalone_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/lane"
	"github.com/bluelibs/go-tunnel/protocol/serve"
	"github.com/bluelibs/go-tunnel/standalone"
)

var laneSecret = []byte("a secret of the tests")

func laneRegistry(t *testing.T) *standalone.Registry {
	v, err := lane.NewVerifier(lane.Auth{Lane: "billing", Key: laneSecret})
	require.NoError(t, err)
	r := standalone.NewRegistry()
	r.Lane(v, "app.charge")
	standalone.Task(r, "app.charge", func(context.Context, any) (string, error) { return "charged", nil })
	standalone.Task(r, "app.free", func(context.Context, any) (string, error) { return "free", nil })
	return r
}

// laneCall is a call with a token for a body.
func laneCall(t *testing.T, payload, hashed string) *protocol.Call {
	call := &protocol.Call{ID: "app.charge", Payload: []byte(payload), Header: http.Header{}}
	signer, err := lane.NewSigner(lane.Signing{Lane: "billing", Key: laneSecret})
	require.NoError(t, err)
	require.NoError(t, signer.Sign(call.Header, call.Kind, call.ID, []byte(hashed)))
	return call
}

func TestLane(t *testing.T) {
	const date = `{"__type":"Date","value":"1970-01-01T00:00:00.000Z"}`
	r := laneRegistry(t)
	for name, tc := range map[string]struct {
		payload, hashed string
		admits          bool
	}{
		"right":                      {"1", `{"input":1}`, true},
		"blanks":                     {`[ 1 ]`, `{"input":[1]}`, true},
		"another input":              {"2", `{"input":1}`, false},
		"a date":                     {date, `{"input":` + date + `}`, true},
		"a date in another spelling": {`{"__type":"Date","value":0}`, `{"input":` + date + `}`, false},
	} {
		call := laneCall(t, tc.payload, tc.hashed)
		err := r.Confirm(call)
		_, ran := r.Execute(t.Context(), call)
		_, unasked := r.Execute(t.Context(), laneCall(t, tc.payload, tc.hashed))
		if tc.admits {
			assert.NoError(t, errors.Join(err, ran, unasked), name)
			continue
		}
		for _, err := range []error{err, ran, unasked} {
			assert.Equal(t, protocol.CodeUnauthorized, protocol.CodeOf(err), name)
		}
	}
}

func TestLaneOfOthers(t *testing.T) {
	r := laneRegistry(t)
	free := &protocol.Call{ID: "app.free", Payload: []byte("1")}
	require.NoError(t, r.Admit(free))
	require.NoError(t, r.Confirm(free))
	_, err := r.Execute(t.Context(), free)
	require.NoError(t, err)
	_, err = r.Execute(t.Context(), &protocol.Call{ID: "app.charge"})
	assert.Equal(t, protocol.CodeUnauthorized, protocol.CodeOf(err))

	v, err := lane.NewVerifier(lane.Auth{Lane: "other", Key: laneSecret})
	require.NoError(t, err)
	assert.PanicsWithValue(t, `standalone: "app.charge" is on a lane already`, func() { r.Lane(v, "app.charge") })
	for _, none := range []standalone.LaneVerifier{nil, (*lane.Verifier)(nil)} {
		assert.PanicsWithValue(t, "standalone: a lane needs a verifier", func() { r.Lane(none, "app.free") }, "it would let everybody in")
	}
}

// The reason is for the log alone.
func TestLaneReason(t *testing.T) {
	r := laneRegistry(t)
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"lane": "billing", "exp": time.Now().Unix()}).SignedString(laneSecret)
	require.NoError(t, err)
	call := &protocol.Call{ID: "app.charge", Header: http.Header{"Authorization": {"Bearer " + text}}}
	err = r.Admit(call)
	assert.ErrorContains(t, err, `the token's cap is not "produce"`)
	w := httptest.NewRecorder()
	require.NoError(t, serve.WriteError(w, protocol.Public(err), false))
	assert.Equal(t, `{"ok":false,"error":{"message":"Unauthorized","code":"UNAUTHORIZED"}}`, strings.TrimSpace(w.Body.String()))
}
