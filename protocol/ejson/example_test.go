package ejson_test

import (
	"fmt"
	"time"

	"github.com/bluelibs/go-tunnel/protocol/ejson"
)

// For tasks in Go it is registry.Codec = new(ejson.Codec).
func Example() {
	type order struct {
		Item string    `json:"item"`
		Due  time.Time `json:"due"`
	}
	codec := new(ejson.Codec)
	text, err := codec.Marshal(order{"tea", time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)})
	fmt.Println(string(text), err)
	var back order
	err = codec.Unmarshal(text, &back)
	fmt.Println(back.Due.Year(), err)
	// Output:
	// {"item":"tea","due":{"$date":1893553445000}} <nil>
	// 2030 <nil>
}
