package publish

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a user of a package gets: the modules that its go.mod requires after go mod tidy,
// beside the one of the package, and those that are built.
func TestSmallGraph(t *testing.T) {
	const goJSON, router, jwt = "github.com/goccy/go-json", "github.com/julienschmidt/httprouter", "github.com/golang-jwt/jwt/v5"
	s := publication(t)
	for name, c := range map[string]struct{ imports, wants []string }{
		"Go tasks":       {[]string{"", "/standalone"}, []string{goJSON, router}},
		"client":         {[]string{"/protocol/client"}, []string{goJSON}},
		"executor":       {[]string{"", "/protocol/protocoltest"}, []string{goJSON, router}},
		"Node.js worker": {[]string{"", "/ipc"}, []string{goJSON, jwt, router}}, // of Runner's lanes
		"rate limits":    {[]string{"/standalone", "/protocol/ratelimit", ""}, []string{goJSON, router, "golang.org/x/time"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var imports []string
			for _, suffix := range c.imports {
				imports = append(imports, rootModule+suffix)
			}
			dir := consumer(t, s, imports...)
			var required []string
			for _, r := range modFile(t, dir).Require {
				if r.Mod.Path != rootModule {
					required = append(required, r.Mod.Path)
				}
			}
			assert.ElementsMatch(t, c.wants, required, "go.mod")
			built := strings.Fields(s.run(t, dir, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "."))
			slices.Sort(built)
			assert.ElementsMatch(t, c.wants, slices.DeleteFunc(slices.Compact(built), func(path string) bool { return path == rootModule }), "packages")
		})
	}
}
