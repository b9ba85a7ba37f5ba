package protocoltest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// octets is a request with a raw body.
func octets(id, body string) Request {
	return post(base+"/task/"+id, body).contentType("application/octet-stream")
}

// hashed is the answer of kit.body.
func hashed(data string) Want {
	hash := sha256.Sum256([]byte(data))
	return result(fmt.Sprintf(`{"size":%d,"sha256":"%s"}`, len(data), hex.EncodeToString(hash[:])))
}

// stream is an answer without an envelope.
func stream(status int, contentType, body string) Want {
	return Want{Status: status, Stream: contentType, Body: body}
}

func octetCases() []Case {
	large := strings.Repeat("\x00\xff0123456789", 250_000) // more than a JSON body may have
	limited := Setup{Limits: protocol.Limits{MaxStream: 5, MaxBody: 1}}
	zipped := func(data string) Request {
		r := octets("kit.body", "x").with("content-encoding", "gzip")
		r.Body = zip(data)
		return r
	}
	one := func(name, rule string, r Request, want Want) Case {
		return Case{Name: name, Rule: rule, Request: r, Want: want}
	}
	return []Case{
		one("body", "A task reads the bytes of an octet stream.", octets("kit.body", "abc"), hashed("abc")),
		one("empty body", "An octet stream may be empty.", octets("kit.body", ""), hashed("")),
		one("large body", "An octet stream has no limit.", octets("kit.body", large), hashed(large)),
		one("large body, chunked", "An octet stream may arrive without an announced length.", octets("kit.body", large).chunked(), hashed(large)),
		one("JSON as octets", "An octet stream is not parsed.", octets("kit.body", addBody), hashed(addBody)),
		one("content type in capitals", "The case of an octet stream's content type does not matter.", octets("kit.body", "abc").contentType("Application/Octet-Stream"), hashed("abc")),
		one("content type with parameters", "An octet stream's content type may have parameters.", octets("kit.body", "abc").contentType("application/octet-stream;x=y"), hashed("abc")),
		one("unread body", "A body that the task does not read does not hold up its answer.", octets("app.tasks.nothing", large), result(undefined)),
		one("unread body, chunked", "A body that the task does not read may have any length.", octets("app.tasks.nothing", large).chunked(), result(undefined)),
		one("failing task", "An octet stream's errors are those of other calls.", octets("app.tasks.quota", "abc"), failure(http.StatusInternalServerError, "INTERNAL_ERROR", "Quota of 3 exceeded", `"id":"app.errors.quota"`, `"data":{"limit":3}`)),
		one("octets to octets", "A task answers an octet stream with another one.", octets("kit.duplex", "abcXYZ1é"), stream(http.StatusOK, "text/plain", "ABCXYZ1é")),
		one("many octets to octets", "A task reads a large octet stream while it answers.", octets("kit.duplex", large).chunked(), stream(http.StatusOK, "text/plain", large)),
		one("no octets to octets", "The answer to an empty octet stream may be an empty one.", octets("kit.duplex", ""), stream(http.StatusOK, "text/plain", "")),
		one("gzip octets", "A gzip octet stream is decoded.", zipped(large), hashed(large)),
		one("encoding of octets", "The encoding of an octet stream must be gzip.", octets("kit.body", "abc").with("content-encoding", "br"), failure(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Unsupported content encoding")),
		one("octets without a token", "Nobody may send an octet stream without a token.", octets("kit.body", "abc").noToken(), unauthorized()),
		{Name: "octets of the limit", Rule: "An octet stream of exactly the limit is accepted.", Setup: limited, Request: octets("kit.body", "12345").chunked(), Want: hashed("12345")},
		{Name: "octets over the limit", Rule: "An octet stream of one byte more than the limit is refused.", Setup: limited, Request: octets("kit.body", "123456").chunked(), Want: tooLarge()},
		{Name: "gzip octets over the limit", Rule: "The limit of an octet stream counts bytes after decoding.", Setup: limited, Request: zipped("123456"), Want: tooLarge()},
	}
}

func streamCases() []Case {
	one := func(name, rule, input string, want Want) Case {
		return Case{Name: name, Rule: rule, Request: post(base+"/task/kit.stream", `{"input":`+input+`}`), Want: want}
	}
	const octet = "application/octet-stream"
	x := func(n int) string { return strings.Repeat("x", n) }
	cut := stream(http.StatusOK, octet, x(5))
	cut.Cut = true
	cors := one("stream to another origin", "A stream has the headers of every answer.", `{"size":1,"headers":{"access-control-allow-origin":"https://c.example"}}`,
		stream(http.StatusOK, octet, "x").with("Access-Control-Allow-Origin", "https://a.example").with("Vary", "Origin"))
	cors.Setup = Setup{CORS: &protocol.CORS{Origins: []string{"https://a.example"}}}
	cors.Request = cors.Request.with("origin", "https://a.example")
	ids := one("request id of a stream", "A task cannot replace the request id.", `{"size":1,"headers":{"x-runner-request-id":"other"}}`, stream(http.StatusOK, octet, "x").id("mine"))
	ids.Request = ids.Request.with("x-runner-request-id", "mine")
	accept := one("stream and accept-encoding", "A stream is not compressed.", `{"size":100000}`, stream(http.StatusOK, octet, x(100_000)))
	accept.Request = accept.Request.with("accept-encoding", "gzip, br")
	return []Case{
		one("stream", "A result may be a stream of bytes.", `{"size":5}`, stream(http.StatusOK, octet, x(5))),
		one("empty stream", "A stream may be empty.", `{"size":0}`, stream(http.StatusOK, octet, "")),
		one("large stream", "A stream may be large.", `{"size":3000000}`, stream(http.StatusOK, octet, x(3_000_000))),
		one("content type of a stream", "A task sets the content type of its stream.", `{"size":5,"contentType":"text/csv"}`, stream(http.StatusOK, "text/csv", x(5))),
		one("status of a stream", "A task sets the status of its stream.", `{"size":5,"status":404}`, stream(http.StatusNotFound, octet, x(5))),
		one("stream without a body", "A status that has no body is answered as 500.", `{"size":5,"status":204}`, stream(http.StatusInternalServerError, octet, x(5))),
		one("content type among headers", "A content type among a stream's headers comes first.", `{"size":5,"contentType":"text/csv","headers":{"content-type":"text/x"}}`, stream(http.StatusOK, "text/x", x(5))),
		one("stream of JSON", "A stream of JSON is sent as it is.", `{"size":5,"contentType":"application/json"}`, stream(http.StatusOK, "application/json", x(5))),
		one("headers of a stream", "A task sets no cookies and none of the protocol's own headers with its stream.", `{"size":5,"headers":{"set-cookie":"a=b","access-control-allow-origin":"x","access-control-allow-credentials":"true","x-content-type-options":"x","x-frame-options":"x"}}`, stream(http.StatusOK, octet, x(5))),
		one("failing before the first byte", "A stream that fails before its first byte is answered as an error.", `{"size":0,"fail":true}`, internal()),
		one("failing later", "A stream that fails later breaks off.", `{"size":5,"fail":true}`, cut),
		cors, ids, accept,
	}
}
