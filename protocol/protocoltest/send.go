package protocoltest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// patience is the time after which a request counts as hanging. It does not measure speed: a
// correct server never takes so long.
const patience = time.Minute

type answer struct {
	protoMajor int
	status     int
	header     http.Header
	body       string
	cut        bool // the body broke off
}

func (c Case) send(target Target) (answer, error) {
	if c.HTTP1Only {
		return c.Request.sendByHand(target.URL)
	}
	return c.Request.sendBy(target)
}

// sendBy sends the request with the target's client.
func (r Request) sendBy(target Target) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, target.URL, bytes.NewReader(r.Body))
	if err != nil {
		return answer{}, err
	}
	req.URL.Opaque = r.Path // it is sent unchanged, while other fields of a URL would be escaped
	if r.Chunked {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(r.Body)), -1
	}
	for _, f := range r.Header {
		req.Header.Add(f.Name, f.Value)
	}
	if req.Header.Get("Accept-Encoding") == "" {
		// With this header the transport does not undo a wrong compression.
		req.Header.Set("Accept-Encoding", "gzip, deflate")
	}
	client := *target.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	return read(resp)
}

// sendByHand writes the request, byte by byte, to a connection of its own.
func (r Request) sendByHand(server string) (answer, error) {
	u, err := url.Parse(server)
	if err != nil {
		return answer{}, err
	}
	if u.Scheme != "http" {
		return answer{}, fmt.Errorf("protocoltest: a request by hand needs plain http, not %s", server)
	}
	conn, err := net.DialTimeout("tcp", u.Host, patience)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return answer{}, err
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.Path, u.Host)
	announced := r.Method != http.MethodPost
	for _, f := range r.Header {
		fmt.Fprintf(&head, "%s: %s\r\n", f.Name, f.Value)
		announced = announced || f.Name == "content-length" || f.Name == "transfer-encoding"
	}
	if !announced {
		fmt.Fprintf(&head, "content-length: %d\r\n", len(r.Body))
	}
	head.WriteString("\r\n")
	if _, err := conn.Write(append([]byte(head.String()), r.Body...)); err != nil {
		return answer{}, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.Method})
	if err != nil {
		return answer{}, err
	}
	return read(resp)
}

func read(resp *http.Response) (answer, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.ProtoMajor, resp.StatusCode, resp.Header, string(body), err != nil}, nil
}
