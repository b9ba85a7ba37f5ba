package protocol_test

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/bluelibs/go-tunnel/protocol"
)

// What a task returns for its caller, and what stays in the log.
func ExampleError() {
	quota := &protocol.Error{ID: "app.errors.quota", Message: "Quota of 3 exceeded", Data: map[string]int{"limit": 3}, HTTPCode: http.StatusConflict}
	for _, err := range []error{fmt.Errorf("upload: %w", quota), errors.New("dial tcp 10.0.0.7: refused")} {
		public := protocol.Public(err)
		fmt.Println(protocol.CodeOf(err), public.Status(), public.ID, public.Message)
	}
	// Output:
	// INTERNAL_ERROR 409 app.errors.quota Quota of 3 exceeded
	// INTERNAL_ERROR 500
}

func ExampleNewAllowList() {
	list := protocol.NewAllowList([]string{"app.tasks.add"}, []string{"app.events.ordered"})
	fmt.Println(list.Allows(protocol.KindTask, "app.tasks.add"), list.Allows(protocol.KindEvent, "app.tasks.add"))
	// Output: true false
}
