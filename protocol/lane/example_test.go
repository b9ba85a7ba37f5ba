package lane_test

import (
	"fmt"
	"net/http"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/lane"
)

// A client signs with client.WithLane(signer), a registry checks with registry.Lane(verifier, ids...).
func Example() {
	secret := []byte("a secret that both services have")
	signer, err := lane.NewSigner(lane.Signing{Lane: "billing", Key: secret})
	if err != nil {
		panic(err)
	}
	verifier, err := lane.NewVerifier(lane.Auth{Lane: "billing", Key: secret})
	if err != nil {
		panic(err)
	}
	call := &protocol.Call{ID: "app.tasks.charge", Header: http.Header{}, Payload: []byte(`{"amount":5}`)}
	fmt.Println(protocol.CodeOf(verifier.Confirm(call)))
	err = signer.Sign(call.Header, call.Kind, call.ID, []byte(`{"input":{"amount":5}}`))
	fmt.Println(err, verifier.Confirm(call))
	// Output:
	// UNAUTHORIZED
	// <nil> <nil>
}
