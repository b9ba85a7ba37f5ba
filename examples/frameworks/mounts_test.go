package frameworks

import (
	"io"
	"net/http"
)

// mounts are the places where a tunnel can live.
var mounts = []struct {
	name  string
	mount func(tunnel http.Handler) http.Handler
}{
	{"bare", func(tunnel http.Handler) http.Handler { return tunnel }},
	{"recover by hand", Recover},
	{"chi", Chi},
	{"gin", Gin},
	{"gin, Recovery only", GinRecovery},
	{"echo", Echo},
	{"gorilla", func(tunnel http.Handler) http.Handler { return Gorilla(tunnel, io.Discard) }},
}
