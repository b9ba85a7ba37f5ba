// Package compress is net/http middleware that compresses JSON answers with gzip.
//
//	http.Handle("/__runner/", compress.Handler(tunnel.New(exec, cfg)))
//
// It is for callers on slow links, and optional. There are two warnings. If an answer has both a
// secret and text that a caller chose, its compressed length shows how similar they are (the
// BREACH attack): do not compress such answers over TLS. Runner's smart client neither sends
// Accept-Encoding nor decompresses answers: make sure that no proxy adds that header for it.
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

// MinSize is the size of the smallest answer that is compressed, in bytes: a smaller answer fits
// into a packet anyway.
const MinSize = 1 << 10

// Handler returns a handler that compresses answers of next if their type is application/json,
// they have at least MinSize bytes and the request accepts gzip. All other answers are unchanged,
// such as streams of another type and answers with a Content-Encoding. JSON answers have a Vary
// header.
//
// An answer is held back until it is long enough, has ended or is flushed. An answer that is
// flushed before it is long enough is not compressed.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &writer{ResponseWriter: w, wanted: r.Method != http.MethodHead && acceptsGzip(r.Header)}
		next.ServeHTTP(answer, r) // after a panic there is nothing to send
		answer.end()
	})
}

// acceptsGzip reports whether an Accept-Encoding allows gzip, by name or by *.
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

// writer decides by the header whether an answer may be compressed, and by its length whether it
// is compressed.
type writer struct {
	http.ResponseWriter
	wanted  bool // the request accepts gzip
	status  int  // 0 before the header
	pending bool // the header is sent once held is long enough
	held    bytes.Buffer
	encoder *gzip.Writer // nil unless the answer is compressed
}

func (w *writer) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status) // another header follows
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

// release sends the held bytes uncompressed.
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

// FlushError sends all bytes written so far.
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

// Flush is FlushError, as part of http.Flusher.
func (w *writer) Flush() { _ = w.FlushError() }

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) end() {
	_ = w.release() // net/http notices a broken connection
	if w.encoder != nil {
		_ = w.encoder.Close()
		w.encoder.Reset(nil)
		encoders.Put(w.encoder)
	}
}
