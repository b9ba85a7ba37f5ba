package frameworks

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// Chi mounts a tunnel in a chi router.
func Chi(tunnel http.Handler) http.Handler {
	router := chi.NewRouter()
	router.Use(middleware.Logger, middleware.Recoverer, middleware.Compress(5))
	router.Handle("/__runner/*", tunnel)
	return router
}
