package frameworks

import (
	"bytes"
	"io"
	"log"
	"os"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5/middleware"
	"go.uber.org/goleak"
)

// What gin says about panics is kept: it must be nothing.
var ginErrors output

func TestMain(m *testing.M) {
	gin.DefaultWriter, gin.DefaultErrorWriter = io.Discard, &ginErrors
	middleware.DefaultLogger = middleware.RequestLogger(&middleware.DefaultLogFormatter{Logger: log.New(io.Discard, "", 0)})
	log.SetOutput(io.Discard)
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if said := ginErrors.String(); code == 0 && said != "" {
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
