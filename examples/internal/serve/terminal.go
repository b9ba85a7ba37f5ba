package serve

import (
	"io"
	"os"
)

// Terminal returns where workers may print as they like, for ipc.Options.Output: standard
// error, if somebody sees it. Else it returns nil, and what they print becomes log records.
func Terminal() io.Writer { return terminal(os.Stderr) }

func terminal(file *os.File) io.Writer {
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return file
}
