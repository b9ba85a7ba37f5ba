package serve

import (
	"os"
	"path/filepath"
)

// Module writes the JavaScript that is part of an example's binary to a file for node,
// which remove deletes.
func Module(source []byte) (file string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "go-tunnel-example-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	file = filepath.Join(dir, "tasks.mjs")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		remove()
		return "", nil, err
	}
	return file, remove, nil
}
