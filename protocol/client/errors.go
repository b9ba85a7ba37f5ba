package client

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bluelibs/go-tunnel/protocol"
)

// CodeUnknown is the code of a server's error without a code.
const CodeUnknown protocol.Code = "UNKNOWN"

// Error is every error of a call. Err is the cause; the package's documentation has its types.
type Error struct {
	// Op is the operation, such as "task app.tasks.add" or "discovery".
	Op string
	// RequestID is the x-runner-request-id of the call: the server's if it has answered with one,
	// otherwise the one that was sent.
	RequestID string
	// Status is the HTTP status of the answer, 0 if there was none. It may differ from the
	// httpCode of a typed error.
	Status int
	// RetryAfter is the time that the server asks to wait, 0 if it does not.
	RetryAfter time.Duration
	Err        error
}

// Error returns the call, its request id and the cause.
func (e *Error) Error() string {
	text := e.Err.Error()
	var public *protocol.Error
	if errors.As(e.Err, &public) { // its own text has no codes beyond the closed list
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

// TransportError means that no answer, or only a part of one, has arrived: the connection failed,
// the context ended, or a reader of the input failed. The task may have run.
type TransportError struct{ Err error }

// Error returns the text of the cause.
func (e *TransportError) Error() string { return e.Err.Error() }

// Unwrap returns the cause: an error of net/http, of the context or of the reader.
func (e *TransportError) Unwrap() error { return e.Err }

// AnswerError is a complete answer that cannot be used: it is not one of the protocol (a proxy's
// page, a redirect), it is too large, or its result does not fit. The task may have run.
type AnswerError struct {
	// Reason is a short description.
	Reason string
	// Status and ContentType come from the answer.
	Status      int
	ContentType string
	// Preview is the beginning of the body, at most 512 bytes, as valid UTF-8. The client's token
	// is removed from it.
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
