// Command upload takes files of any size, which a Node.js task and a Go task hash
// while they arrive:
//
//	go run ./examples/upload
//	go run ./examples/upload -send some.iso
//
// The second one is a client that sends a file to either task, and shows how far it is.
package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/ipc"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

//go:embed tasks.mjs
var tasks []byte

// hashed is what both tasks answer with.
type hashed struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	By     string `json:"by"`
}

func hash(ctx context.Context, in struct{ File standalone.File }) (out hashed, err error) {
	body, err := in.File.Open(ctx)
	if err != nil {
		return out, err
	}
	defer body.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, body)
	return hashed{in.File.Name, size, hex.EncodeToString(sum.Sum(nil)), "go"}, err
}

func main() {
	flags := serve.Register("", "")
	flags.Try = `curl -X POST URL/task/app.tasks.hash TOKEN -F '__manifest={"input": {"file": {"$runnerFile": "File", "id": "F1", "meta": {"name": "hosts"}}}}' -F file:F1=@/etc/hosts`
	maxFile := flag.Int64("max-file", 10<<30, "largest file in `bytes`")
	file := flag.String("send", "", "send a `file` to the server at -addr instead of being one")
	flag.Parse()
	var err error
	if *file != "" {
		err = send(flags, *file)
	} else {
		err = run(flags, *maxFile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(flags *serve.Flags, maxFile int64) error {
	module, remove, err := serve.Module(tasks)
	if err != nil {
		return err
	}
	defer remove()
	ctx := serve.Context()
	opts := ipc.Node(module)
	opts.Output = serve.Terminal()
	pool, err := ipc.Start(ctx, opts)
	if err != nil {
		return err
	}
	registry := standalone.NewRegistry()
	standalone.Task(registry, "app.tasks.hashInGo", hash)

	config := flags.Config()
	config.Limits.MaxFileSize = maxFile
	err = flags.Run(ctx, tunnel.New(tunnel.Route(registry, pool), config))
	_ = pool.Shutdown(context.Background())
	return err
}
