package serializer_test

import (
	stdjson "encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/bluelibs/go-tunnel/protocol/serializer"
)

type order struct {
	ID       string   `json:"id"`
	Customer customer `json:"customer"`
	Lines    []line   `json:"lines"`
	Note     *string  `json:"note"`
	Paid     bool     `json:"paid"`
}

type customer struct {
	Name  string   `json:"name"`
	Email string   `json:"email"`
	Tags  []string `json:"tags"`
}

type line struct {
	Article string  `json:"article"`
	Count   int     `json:"count"`
	Price   float64 `json:"price"`
}

func orders() map[string][]byte {
	of := func(lines int) []byte {
		const one = `{"article":"A-1000","count":3,"price":19.99}`
		return fmt.Appendf(nil, `{"id":"o-1","customer":{"name":"Ada Lovelace","email":"ada@example.com","tags":["new","vip"]},"lines":[%s],"note":null,"paid":true}`,
			strings.Repeat(one+",", lines-1)+one)
	}
	return map[string][]byte{"small": []byte(`{"id":"o-1","paid":true}`), "medium": of(5), "large": of(500)}
}

// A document without markers should cost at most twice what plain decoding does. What
// checks it is part of that, though requests are checked before they come here.
func BenchmarkUnmarshal(b *testing.B) {
	c := new(serializer.Codec)
	decoders := []struct {
		name   string
		decode func(data []byte, v *order) error
	}{
		{"goccy", func(data []byte, v *order) error { return json.UnmarshalOf(data, v) }},
		{"serializer", func(data []byte, v *order) error { return c.Unmarshal(data, v) }},
		{"serializer-slow", func(data []byte, v *order) error { return c.Unmarshal(marked(data), v) }},
		{"stdlib", func(data []byte, v *order) error { return stdjson.Unmarshal(data, v) }},
	}
	for size, data := range orders() {
		for _, d := range decoders {
			b.Run(size+"/"+d.name, func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					var v order
					if err := d.decode(data, &v); err != nil || v.ID != "o-1" {
						b.Fatal(err, v)
					}
				}
			})
		}
	}
}

// marked returns a document that has a marker in it.
func marked(data []byte) []byte {
	return append([]byte(`{"at":{"__type":"Date","value":0},`), data[1:]...)
}

func BenchmarkMarshal(b *testing.B) {
	c := new(serializer.Codec)
	encoders := []struct {
		name   string
		encode func(v *order) ([]byte, error)
	}{
		{"goccy", func(v *order) ([]byte, error) { return json.MarshalOf(v) }},
		{"serializer", func(v *order) ([]byte, error) { return c.Marshal(v) }},
		{"stdlib", func(v *order) ([]byte, error) { return stdjson.Marshal(v) }},
	}
	for size, data := range orders() {
		var v order
		if err := json.Unmarshal(data, &v); err != nil {
			b.Fatal(err)
		}
		for _, e := range encoders {
			b.Run(size+"/"+e.name, func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := e.encode(&v); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
