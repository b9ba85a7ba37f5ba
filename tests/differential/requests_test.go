package differential_test

import (
	"fmt"
	"strings"
)

// What the case tables of TestDifferential are written with. All requests carry the token
// "secret" unless they are made by rawRequest.

// rawRequest returns the bytes of a request, with these header lines.
func rawRequest(method, target, body string, lines ...string) string {
	head := append([]string{method + " " + target + " HTTP/1.1", "Host: localhost"}, lines...)
	return strings.Join(head, "\r\n") + "\r\n\r\n" + body
}

func rawToken(method, target, body string, lines ...string) string {
	return rawRequest(method, target, body, append([]string{"X-Runner-Token: secret"}, lines...)...)
}

func rawGet(target string, lines ...string) string { return rawToken("GET", target, "", lines...) }

// rawPost announces the length of its body, but no type.
func rawPost(target, body string, lines ...string) string {
	return rawToken("POST", target, body, append(lines, lengthLine(body))...)
}

func lengthLine(body string) string { return fmt.Sprintf("Content-Length: %d", len(body)) }

func rawTask(id, body string, lines ...string) string {
	return rawPost("/__runner/task/"+id, body, lines...)
}
func rawEvent(id, body string, lines ...string) string {
	return rawPost("/__runner/event/"+id, body, lines...)
}
func rawAdd(lines ...string) string { return rawTask("app.tasks.add", sumBody, lines...) }

const sumBody = `{"input":{"a":1,"b":2}}`

// chunksOf returns body as a chunked one, in pieces of at most n bytes.
func chunksOf(body string, n int) string {
	var b strings.Builder
	for len(body) > 0 {
		piece := body[:min(n, len(body))]
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(piece), piece)
		body = body[len(piece):]
	}
	return b.String() + "0\r\n\r\n"
}

// casesOf returns these requests as cases, each called by its request line.
func casesOf(requests ...string) (cases []exchange) {
	for _, raw := range requests {
		line, _, _ := strings.Cut(raw, " HTTP/1.")
		cases = append(cases, exchange{name: line, raw: raw})
	}
	return cases
}

// casesTo returns one case of the same request to many targets.
func casesTo(method string, targets ...string) (cases []exchange) {
	for _, target := range targets {
		body := ""
		if method == "POST" {
			body = sumBody
		}
		cases = append(cases, casesOf(rawToken(method, target, body, lengthLine(body)))...)
	}
	return cases
}

// bodyCases returns one call of a task or event for each pair of a name and a body.
func bodyCases(target string, pairs ...string) (cases []exchange) {
	for i := 0; i < len(pairs); i += 2 {
		cases = append(cases, exchange{name: pairs[i], raw: rawPost(target, pairs[i+1])})
	}
	return cases
}
