package client

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// CodeUnknown is the code of a server's error that came without one.
const CodeUnknown protocol.Code = "UNKNOWN"

// Error is every error of a call. Err says what went wrong, see the package's
// documentation for its types.
type Error struct {
	// Op is what was called, such as "task app.tasks.add" or "discovery".
	Op string
	// RequestID is the x-runner-request-id of the call: the one that the server
	// answered with, else the one that was sent.
	RequestID string
	// Status is the HTTP status of the answer, 0 without one. The httpCode of a typed
	// error is that error's own.
	Status int
	// RetryAfter is what the server asked to wait, 0 if nothing.
	RetryAfter time.Duration
	Err        error
}

// Error returns the call, its request id and what went wrong.
func (e *Error) Error() string {
	text := e.Err.Error()
	var public *protocol.Error
	if errors.As(e.Err, &public) { // whose own text knows the closed list of codes only
		text = string(public.Code)
		if public.ID != "" {
			text += " " + public.ID
		}
		text += ": " + public.Message
	}
	return "client: " + e.Op + " (request " + e.RequestID + "): " + text
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// TransportError says that no answer came, or none to its end: the connection failed,
// the context ended, or a reader of the input did. Whether the task ran is not known.
type TransportError struct{ Err error }

// Error returns the text of the cause.
func (e *TransportError) Error() string { return e.Err.Error() }

// Unwrap returns the cause: an error of net/http, of the context or of the reader.
func (e *TransportError) Unwrap() error { return e.Err }

// AnswerError is an answer that came whole but is of no use: not of the protocol (a
// proxy's page, a redirect), too large, or a result that does not fit. The task may
// have run.
type AnswerError struct {
	// Reason says what is wrong, in a few words.
	Reason string
	// Status and ContentType are those of the answer.
	Status      int
	ContentType string
	// Preview is the beginning of the body, at most 512 bytes, as valid UTF-8. The
	// client's token is cut out of it.
	Preview string
	// Err is the cause, nil if there is none.
	Err error
}

// Error returns the reason, the status, the content type and the cause, but not the
// preview.
func (e *AnswerError) Error() string {
	text := e.Reason + " (status " + strconv.Itoa(e.Status)
	if e.ContentType != "" {
		text += fmt.Sprintf(", %q", e.ContentType)
	}
	text += ")"
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *AnswerError) Unwrap() error { return e.Err }
