package lane

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkConfirm is what a lane costs for each call: all checks of a right token.
func BenchmarkConfirm(b *testing.B) {
	for name, keys := range pairs(b) {
		b.Run(name, func(b *testing.B) {
			signer, err := NewSigner(Signing{Lane: "billing", Key: keys.private})
			require.NoError(b, err)
			v := verifier(b, func(a *Auth) { a.Key = keys.public })
			call := newCall("app.tasks.charge", `{"a":5,"b":3}`)
			require.NoError(b, signer.Sign(call.Header, call.Kind, call.ID, []byte(`{"input":{"a":5,"b":3}}`)))
			b.ReportAllocs()
			for b.Loop() {
				call.Ticket = nil
				if err := v.Confirm(call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
