package frameworks

import (
	"io"
	"net/http"

	"github.com/gorilla/handlers"
	"github.com/gorilla/mux"
)

// Gorilla mounts a tunnel in a gorilla router, with gorilla's handlers around it. Requests
// are logged to log.
func Gorilla(tunnel http.Handler, log io.Writer) http.Handler {
	router := mux.NewRouter()
	router.PathPrefix("/__runner/").Handler(tunnel)
	return handlers.RecoveryHandler()(handlers.CombinedLoggingHandler(log, router))
}
