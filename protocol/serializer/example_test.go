package serializer_test

import (
	"fmt"
	"math/big"
	"time"

	"github.com/bluelibs/go-tunnel/protocol/serializer"
)

func ExampleCodec() {
	type transfer struct {
		At     time.Time      `json:"at"`
		Amount *big.Int       `json:"amount"`
		Shares map[string]int `json:"shares"`
	}
	var codec serializer.Codec
	var in transfer
	err := codec.Unmarshal([]byte(`{
		"at": {"__type": "Date", "value": "2024-01-02T03:04:05.678Z"},
		"amount": {"__type": "BigInt", "value": "18446744073709551616"},
		"shares": {"__type": "Map", "value": [["ada", 60], ["bob", 40]]}
	}`), &in)
	fmt.Println(in.At, in.Amount, in.Shares, err)

	text, err := codec.Marshal(serializer.Map{{Key: in.At, Value: in.Amount}})
	fmt.Println(string(text), err)
	// Output:
	// 2024-01-02 03:04:05.678 +0000 UTC 18446744073709551616 map[ada:60 bob:40] <nil>
	// {"__type":"Map","value":[[{"__type":"Date","value":"2024-01-02T03:04:05.678Z"},{"__type":"BigInt","value":"18446744073709551616"}]]} <nil>
}
