package frameworks

import (
	"log/slog"
	"net/http"
)

// Recover is what many services have written by hand: it swallows every panic, that of
// http.ErrAbortHandler with it, which net/http itself would end the connection for.
func Recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				slog.Error("panic", "value", v)
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
