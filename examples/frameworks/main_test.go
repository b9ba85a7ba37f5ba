package frameworks

import (
	"bytes"
	"io"
	"log"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5/middleware"
	"go.uber.org/goleak"
)

// What gin says about panics is kept: it must be nothing, but over HTTP/3.
var ginErrors output

func TestMain(m *testing.M) {
	gin.DefaultWriter, gin.DefaultErrorWriter = io.Discard, &ginErrors
	middleware.DefaultLogger = middleware.RequestLogger(&middleware.DefaultLogFormatter{Logger: log.New(io.Discard, "", 0)})
	log.SetOutput(io.Discard)
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		// Over HTTP/3 the tunnel has to panic, for versions of quic-go that know nothing else.
		said := ginErrors.String()
		if code == 0 && (strings.Contains(said, " HTTP/1.") || strings.Contains(said, " HTTP/2.")) {
			_, _ = os.Stderr.WriteString("gin's Recovery has printed a request:\n" + said)
			code = 1
		}
		os.Exit(code)
	}))
}

// output keeps what is written to it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
