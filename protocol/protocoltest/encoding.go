package protocoltest

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

func zip(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		panic(err) // a buffer never fails
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// encodingCases are about Content-Encoding.
func encodingCases() []Case {
	unsupported := failure(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Unsupported content encoding")
	encode := func(r Request, encoding string, body []byte) Request {
		r = r.with("content-encoding", encoding)
		r.Body = body
		return r
	}
	encoded := func(encoding string, body []byte) Request { return encode(add(), encoding, body) }
	echoed := func(encoding string, body []byte) Request { return encode(task("echo", "x"), encoding, body) }
	limited := Setup{Limits: protocol.Limits{MaxBody: 100}}
	exact := `"` + strings.Repeat("x", 98) + `"`
	zipped := zip(addBody)
	broken := bytes.Clone(zipped)
	broken[len(broken)-5] ^= 0xff // in the checksum
	return []Case{
		{
			Name: "gzip", Rule: "A gzip body is decoded.",
			Request: encoded("gzip", zipped), Want: result(`8`),
		},
		{
			Name: "gzip in capitals", Rule: "The case of a content encoding does not matter.",
			Request: encoded("GZip", zipped), Want: result(`8`),
		},
		{
			Name: "gzip in two members", Rule: "A gzip body may have several members.",
			Request: encoded("gzip", append(zip(`{"input":{"a":5,`), zip(`"b":3}}`)...)), Want: result(`8`),
		},
		{
			Name: "gzip, chunked", Rule: "A gzip body may arrive without an announced length.",
			Request: encoded("gzip", zipped).chunked(), Want: result(`8`),
		},
		{
			Name: "gzip of an event", Rule: "The body of an event may be gzip.",
			Request: encode(event("rename", "x"), "gzip", zip(`{"payload":{"name":"ada"},"returnPayload":true}`)),
			Want:    result(`{"name":"ADA"}`),
		},
		{
			Name: "gzip of nothing", Rule: "A gzip body without a byte inside is no body.",
			Request: echoed("gzip", zip("")), Want: result(undefined),
		},
		{
			Name: "gzip without a body", Rule: "Without a body its encoding does not matter.",
			Request: task("echo", "").with("content-encoding", "gzip"), Want: result(undefined),
		},
		{
			Name: "identity", Rule: "The encoding identity is none.",
			Request: encoded("identity", []byte(addBody)), Want: result(`8`),
		},
		{
			Name: "gzip that is none", Rule: "A body that says to be gzip and is not is refused.",
			Request: encoded("gzip", []byte(addBody)), Want: badJSON(),
		},
		{
			Name: "gzip that is not announced", Rule: "A gzip body that does not say so is no JSON.",
			Request: func() Request { r := add(); r.Body = zipped; return r }(), Want: badJSON(),
		},
		{
			Name: "gzip cut short", Rule: "A gzip body that ends early is refused.",
			Request: encoded("gzip", zipped[:len(zipped)-9]), Want: badJSON(),
		},
		{
			Name: "gzip with a wrong checksum", Rule: "A gzip body with a wrong checksum is refused.",
			Request: encoded("gzip", broken), Want: badJSON(),
		},
		{
			Name: "gzip and more behind it", Rule: "A gzip body with something behind it is refused.",
			Request: encoded("gzip", append(bytes.Clone(zipped), "garbage"...)), Want: badJSON(),
		},
		{
			Name: "gzip of no JSON", Rule: "What a gzip body holds is checked as any other body.",
			Request: encoded("gzip", zip(`{"input":`)), Want: badJSON(),
		},
		{
			Name: "gzip of exactly the limit", Rule: "The limit counts bytes after decoding.",
			Setup: limited, Request: echoed("gzip", zip(exact)), Want: result(exact),
		},
		{
			Name: "gzip over the limit", Rule: "A gzip body of one byte more than the limit is refused.",
			Setup: limited, Request: encoded("gzip", zip(exact+" ")), Want: tooLarge(),
		},
		{
			Name: "gzip bomb", Rule: "A small body that decodes to a large one is refused.",
			Request: encoded("gzip", zip(strings.Repeat(" ", 8<<20))), Want: tooLarge(),
		},
		{
			Name: "brotli", Rule: "An encoding other than gzip is not supported.",
			Request: encoded("br", []byte(addBody)), Want: unsupported,
		},
		{
			Name: "deflate", Rule: "The encoding deflate is not supported.",
			Request: encoded("deflate", []byte(addBody)), Want: unsupported,
		},
		{
			Name: "two encodings", Rule: "A list of encodings is not supported.",
			Request: encoded("gzip, gzip", zip(string(zipped))), Want: unsupported,
		},
		{
			Name: "encoding twice", Rule: "A repeated Content-Encoding is a list.",
			Request: encoded("gzip", zip(string(zipped))).with("content-encoding", "gzip"), Want: unsupported,
		},
	}
}
