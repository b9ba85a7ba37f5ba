package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/protocol/client"
)

// send uploads a file to both tasks, one after the other.
func send(flags *serve.Flags, name string) error {
	c, err := client.New("http://"+flags.Addr+flags.BasePath, client.Config{Token: flags.Token, TokenHeader: flags.Header})
	if err != nil {
		return err
	}
	for _, task := range []string{"app.tasks.hash", "app.tasks.hashInGo"} {
		out, err := upload(serve.Context(), c, task, name)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %s, %d bytes, sha256 %s\n", out.By, out.Name, out.Size, out.SHA256)
	}
	return nil
}

func upload(ctx context.Context, c *client.Client, task, name string) (out hashed, err error) {
	file, err := os.Open(name)
	if err != nil {
		return out, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return out, err
	}
	body := &progress{in: file, size: info.Size()}
	defer fmt.Fprintln(os.Stderr)
	return client.Task[hashed](ctx, c, task, map[string]any{
		"file": &client.File{Name: filepath.Base(name), Size: info.Size(), LastModified: info.ModTime(), Reader: body},
	})
}

// progress shows how much of a reader was read, a few times a second.
type progress struct {
	in         io.Reader
	size, read int64
	shown      time.Time
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.in.Read(b)
	p.read += int64(n)
	if now := time.Now(); err == io.EOF || now.Sub(p.shown) > 200*time.Millisecond {
		p.shown = now
		fmt.Fprintf(os.Stderr, "\rsent %d of %d MiB (%d %%)", p.read>>20, p.size>>20, 100*p.read/max(p.size, 1))
	}
	return n, err
}
