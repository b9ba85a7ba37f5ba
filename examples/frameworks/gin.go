package frameworks

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Gin mounts a tunnel in a gin engine with gin's own Logger and Recovery.
func Gin(tunnel http.Handler) http.Handler {
	engine := gin.Default()
	engine.Any("/__runner/*path", gin.WrapH(tunnel))
	return engine
}

// GinRecovery mounts it in one that has Recovery only.
func GinRecovery(tunnel http.Handler) http.Handler {
	engine := gin.New()
	engine.Use(gin.Recovery())
	engine.Any("/__runner/*path", gin.WrapH(tunnel))
	return engine
}
