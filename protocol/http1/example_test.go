package http1_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol/http1"
	"github.com/bluelibs/go-tunnel/protocol/serve"
)

// upper answers calls with the path in capital letters.
type upper struct{}

func (upper) Plain(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/upper/") }

func (upper) ServeExchange(x serve.Exchange, r *http.Request) {
	_, _ = x.WriteString(strings.ToUpper(r.URL.Path))
}

// A Front answers what its Handler calls plain; the http.Server gets all else. For a
// tunnel.Handler, its method Listen does this.
func ExampleListen() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	front := http1.Listen(ln, upper{}, server)
	served := make(chan error)
	go func() { served <- server.Serve(front) }()

	for _, path := range []string{"/upper/a", "/other"} {
		res, err := http.Post("http://"+ln.Addr().String()+path, "application/json", strings.NewReader(`{}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		answer, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		fmt.Println(res.StatusCode, strings.TrimSpace(string(answer)))
	}

	http.DefaultClient.CloseIdleConnections()
	_ = front.Close()
	_ = server.Close()
	<-served
	// Output:
	// 200 /UPPER/A
	// 404 404 page not found
}
