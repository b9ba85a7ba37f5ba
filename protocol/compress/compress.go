// Package compress is net/http middleware that compresses JSON answers with gzip.
//
//	http.Handle("/__runner/", compress.Handler(tunnel.New(exec, cfg)))
//
// It is for callers on slow links, and not used unless asked for. Two warnings. An
// answer that holds both a secret and what a caller chose shows by its compressed
// length how alike they are (the BREACH attack): do not compress such answers over
// TLS. And Runner's smart client does not say that it accepts gzip, nor gunzip what
// it gets: make sure that no proxy says so in its name.
package compress

import (
	"bytes"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// MinSize is the size of the smallest answer that is compressed, in bytes: what is
// smaller fits into a packet as it is.
const MinSize = 1 << 10

// Handler returns a handler that compresses the answers of next whose type is
// application/json and that are at least MinSize long, for requests that accept gzip.
// All other answers, streams of another type and those that are encoded already among
// them, pass through as they are. Answers that are JSON have a Vary header.
//
// An answer is held back until it is long enough, has ended or is flushed; one that is
// flushed before it is long enough is not compressed.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &writer{ResponseWriter: w, wanted: r.Method != http.MethodHead && acceptsGzip(r.Header)}
		next.ServeHTTP(answer, r) // after a panic nothing is left to send
		answer.end()
	})
}

// acceptsGzip reports whether an Accept-Encoding allows gzip, by its name or by *.
func acceptsGzip(h http.Header) bool {
	accepted := false
	for _, element := range strings.Split(strings.Join(h["Accept-Encoding"], ","), ",") {
		coding, params, _ := strings.Cut(element, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		name, value, _ := strings.Cut(params, "=")
		quality := 1.0
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			quality, _ = strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
		switch coding {
		case "gzip", "x-gzip":
			return quality > 0
		case "*":
			accepted = quality > 0
		}
	}
	return accepted
}

var encoders = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// writer decides at the header whether an answer may be compressed, and at its length
// whether it is.
type writer struct {
	http.ResponseWriter
	wanted  bool // by the request
	status  int  // 0 before the header
	pending bool // the header waits for what held tells
	held    bytes.Buffer
	encoder *gzip.Writer // nil unless the answer is compressed
}

func (w *writer) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status) // there is another to come
		return
	}
	if w.status != 0 {
		return
	}
	w.status = status
	header := w.Header()
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if mediaType != "application/json" || header.Get("Content-Encoding") != "" || header.Get("Content-Range") != "" {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	header.Add("Vary", "Accept-Encoding")
	length, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64)
	switch {
	case !w.wanted, status == http.StatusNoContent, status == http.StatusNotModified, err == nil && length < MinSize:
		w.ResponseWriter.WriteHeader(status)
	case err == nil:
		w.compress()
	default:
		w.pending = true
	}
}

func (w *writer) compress() {
	header := w.Header()
	header.Set("Content-Encoding", "gzip")
	header.Del("Content-Length")
	w.encoder = encoders.Get().(*gzip.Writer)
	w.encoder.Reset(w.ResponseWriter)
	w.pending = false
	w.ResponseWriter.WriteHeader(w.status)
}

// release sends what is held back as it is.
func (w *writer) release() error {
	if !w.pending {
		return nil
	}
	w.pending = false
	w.ResponseWriter.WriteHeader(w.status)
	_, err := w.ResponseWriter.Write(w.held.Bytes())
	return err
}

func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.pending {
		if w.held.Len()+len(b) < MinSize {
			return w.held.Write(b)
		}
		w.compress()
		if _, err := w.encoder.Write(w.held.Bytes()); err != nil {
			return 0, err
		}
	}
	if w.encoder != nil {
		return w.encoder.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

// FlushError sends what was written so far.
func (w *writer) FlushError() error {
	if err := w.release(); err != nil {
		return err
	}
	if w.encoder != nil {
		if err := w.encoder.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for those who look for an http.Flusher.
func (w *writer) Flush() { _ = w.FlushError() }

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) end() {
	_ = w.release() // a connection that is broken is net/http's to notice
	if w.encoder != nil {
		_ = w.encoder.Close()
		w.encoder.Reset(nil)
		encoders.Put(w.encoder)
	}
}
