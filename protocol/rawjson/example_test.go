package rawjson_test

import (
	"fmt"

	"github.com/bluelibs/go-tunnel/protocol/rawjson"
)

// What comes from others is checked before any other code sees it.
func ExampleCheck() {
	for _, document := range []string{`{"a": [1, 2]}`, `{"a": [1, 2}`, `[[[[1]]]]`} {
		fmt.Println(rawjson.Check([]byte(document), 3))
	}
	// Output:
	// <nil>
	// rawjson: invalid JSON at byte 11
	// rawjson: document nested too deep
}
