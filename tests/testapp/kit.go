package testapp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/standalone"
)

type uploadedFile struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func hashOf(source io.Reader) (size int64, sum string, err error) {
	hash := sha256.New()
	size, err = io.Copy(hash, source)
	return size, hex.EncodeToString(hash.Sum(nil)), err
}

// KitTasks are the tasks of the conformance kit for files and streams, in Go.
func KitTasks(r *standalone.Registry) {
	type upload struct {
		Files map[string]*standalone.File
		Read  []string
	}
	standalone.Task(r, "kit.upload", func(ctx context.Context, in upload) ([]uploadedFile, error) {
		all := []uploadedFile{}
		for _, key := range in.Read {
			file := in.Files[key]
			source, err := file.Open(ctx)
			if err != nil {
				return nil, err
			}
			size, sum, err := hashOf(source)
			if err != nil {
				return nil, err
			}
			all = append(all, uploadedFile{file.Name, file.Type, size, sum})
		}
		return all, nil
	})
	type hashed struct {
		Size   int64  `json:"size"`
		SHA256 string `json:"sha256"`
	}
	standalone.Task(r, "kit.body", func(_ context.Context, in io.Reader) (hashed, error) {
		size, sum, err := hashOf(in)
		return hashed{size, sum}, err
	})
	standalone.Task(r, "kit.duplex", func(_ context.Context, in io.ReadCloser) (*protocol.Reply, error) {
		return &protocol.Reply{ContentType: "text/plain", Stream: upperCase{in}}, nil
	})
	type wanted struct {
		Size        int64
		Fail        bool
		Status      int
		ContentType string
		Headers     map[string]string
	}
	standalone.Task(r, "kit.stream", func(_ context.Context, in wanted) (*protocol.Reply, error) {
		var source io.Reader = strings.NewReader(strings.Repeat("x", int(in.Size)))
		if in.Fail {
			source = io.MultiReader(source, ReaderFunc(func([]byte) (int, error) { return 0, errors.New("the secret source fails") }))
		}
		header := http.Header{}
		for name, value := range in.Headers {
			header.Set(name, value)
		}
		return &protocol.Reply{Stream: io.NopCloser(source), Status: in.Status, ContentType: in.ContentType, StreamHeader: header}, nil
	})
}

// upperCase turns a-z into A-Z.
type upperCase struct{ io.ReadCloser }

func (u upperCase) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	for i, c := range p[:n] {
		if 'a' <= c && c <= 'z' {
			p[i] = c - 'a' + 'A'
		}
	}
	return n, err
}

// ReaderFunc is the Read of an io.Reader.
type ReaderFunc func([]byte) (int, error)

func (f ReaderFunc) Read(p []byte) (int, error) { return f(p) }

// Zeros are zeros without end.
type Zeros struct{}

func (Zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
