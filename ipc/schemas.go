package ipc

import (
	"fmt"

	"github.com/bluelibs/go-tunnel/ipc/internal/wire"
)

// acceptSchemas reports whether what a worker announces may be followed.
func (p *Pool) acceptSchemas(w *worker, hello *wire.Hello, first bool) bool {
	if p.opts.Schemas == nil || hello == nil {
		return true
	}
	err := p.opts.Schemas(hello.Announced())
	switch {
	case err == nil:
		return true
	case first:
		w.violate(fmt.Errorf("its schemas were refused: %w", err))
	default:
		w.log.Error("ipc: announced schemas not taken", "error", err)
	}
	return false
}
