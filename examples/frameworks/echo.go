package frameworks

import (
	"net/http"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"
)

// Echo mounts a tunnel in an echo router.
func Echo(tunnel http.Handler) http.Handler {
	e := echo.New()
	e.Use(middleware.Recover())
	e.Any("/__runner/*", echo.WrapHandler(tunnel))
	return e
}
