package main

import (
	"context"
	"crypto/subtle"
	"io"
	"net/http"
	"strconv"

	"github.com/goccy/go-json"
)

// bare is what one would write by hand for these tasks alone, and as fast as that goes:
// the limit.
func bare() http.Handler {
	tasks := map[string]http.HandlerFunc{
		taskPath + "bench.add":     bareTask(add),
		taskPath + "bench.echo":    bareTask(echo),
		taskPath + "bench.wait":    bareTask(wait),
		taskPath + "bench.compute": bareTask(compute),
		taskPath + "bench.upload": func(w http.ResponseWriter, r *http.Request) {
			length, err := upload(r.Context(), r.Body)
			bareAnswer(w, length, err)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Runner-Token")), []byte(token)) != 1 {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		task := tasks[r.URL.Path]
		if task == nil || r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		task(w, r)
	})
}

const bareMaxBody = 2 << 20

func bareTask[In, Out any](run func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength < 0 || r.ContentLength > bareMaxBody {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		var in struct {
			Input In `json:"input"`
		}
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, body)
		if err == nil {
			err = json.Unmarshal(body, &in) // unchecked: all that comes here is this program's own
		}
		if err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		out, err := run(r.Context(), in.Input)
		bareAnswer(w, out, err)
	}
}

func bareAnswer[Out any](w http.ResponseWriter, out Out, err error) {
	var answer []byte
	if err == nil {
		answer, err = json.Marshal(struct {
			OK     bool `json:"ok"`
			Result Out  `json:"result"`
		}{true, out})
	}
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, _ = w.Write(answer)
}
