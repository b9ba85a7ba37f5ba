package protocol

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Code is the machine-readable kind of an error: CodeInvalidJSON and so on. The list is closed. A
// task adds details with the ID and Data of an error.
type Code string

// The codes, each with its HTTP status, which an error may override.
const (
	CodeInvalidJSON          Code = "INVALID_JSON"                      // 400: the body is not JSON, or nested too deep
	CodeInvalidInput         Code = "INVALID_INPUT"                     // 400: the input does not fit the task
	CodeMissingManifest      Code = "MISSING_MANIFEST"                  // 400
	CodeInvalidMultipart     Code = "INVALID_MULTIPART"                 // 400
	CodeParallelEventReturn  Code = "PARALLEL_EVENT_RETURN_UNSUPPORTED" // 400: returnPayload on a parallel event
	CodeUnauthorized         Code = "UNAUTHORIZED"                      // 401
	CodeForbidden            Code = "FORBIDDEN"                         // 403: not on the allow-list
	CodeNotFound             Code = "NOT_FOUND"                         // 404
	CodeMethodNotAllowed     Code = "METHOD_NOT_ALLOWED"                // 405
	CodeRequestTimeout       Code = "REQUEST_TIMEOUT"                   // 408: the body did not arrive in time
	CodePayloadTooLarge      Code = "PAYLOAD_TOO_LARGE"                 // 413
	CodeUnsupportedMediaType Code = "UNSUPPORTED_MEDIA_TYPE"            // 415
	CodeRateLimited          Code = "RATE_LIMITED"                      // 429
	CodeRequestAborted       Code = "REQUEST_ABORTED"                   // 499: the caller disconnected
	CodeInternal             Code = "INTERNAL_ERROR"                    // 500, and every error of a task
	CodeMissingFilePart      Code = "MISSING_FILE_PART"                 // 500
	CodeStream               Code = "STREAM_ERROR"                      // 500
	CodeAuthNotConfigured    Code = "AUTH_NOT_CONFIGURED"               // 500
	CodeWorkerCrashed        Code = "WORKER_CRASHED"                    // 502: the worker ended during the call
	CodeOverloaded           Code = "OVERLOADED"                        // 503: no capacity in time
	CodeWorkerUnavailable    Code = "WORKER_UNAVAILABLE"                // 503: no worker runs, or the pool is closing
	CodeTaskTimeout          Code = "TASK_TIMEOUT"                      // 504
)

// StatusClientClosedRequest is the status of CodeRequestAborted, which net/http
// does not name.
const StatusClientClosedRequest = 499

var codes = map[Code]struct {
	status  int
	message string
	retry   bool
}{
	CodeInvalidJSON:          {status: http.StatusBadRequest, message: "Invalid JSON body"},
	CodeInvalidInput:         {status: http.StatusBadRequest, message: "Invalid input"},
	CodeMissingManifest:      {status: http.StatusBadRequest, message: "Missing manifest"},
	CodeInvalidMultipart:     {status: http.StatusBadRequest, message: "Invalid multipart payload"},
	CodeParallelEventReturn:  {status: http.StatusBadRequest, message: "Returning a payload is not supported."},
	CodeUnauthorized:         {status: http.StatusUnauthorized, message: "Unauthorized"},
	CodeForbidden:            {status: http.StatusForbidden, message: "Forbidden"},
	CodeNotFound:             {status: http.StatusNotFound, message: "Not Found"},
	CodeMethodNotAllowed:     {status: http.StatusMethodNotAllowed, message: "Method Not Allowed"},
	CodeRequestTimeout:       {status: http.StatusRequestTimeout, message: "Request timeout"},
	CodePayloadTooLarge:      {status: http.StatusRequestEntityTooLarge, message: "Payload too large"},
	CodeUnsupportedMediaType: {status: http.StatusUnsupportedMediaType, message: "Unsupported media type"},
	CodeRateLimited:          {status: http.StatusTooManyRequests, message: "Too many requests", retry: true},
	CodeRequestAborted:       {status: StatusClientClosedRequest, message: "Client Closed Request"},
	CodeInternal:             {status: http.StatusInternalServerError, message: "Internal Error"},
	CodeMissingFilePart:      {status: http.StatusInternalServerError, message: "Internal Error"},
	CodeStream:               {status: http.StatusInternalServerError, message: "Internal Error"},
	CodeAuthNotConfigured:    {status: http.StatusInternalServerError, message: "Authentication not configured."},
	CodeWorkerCrashed:        {status: http.StatusBadGateway, message: "Worker crashed"},
	CodeOverloaded:           {status: http.StatusServiceUnavailable, message: "Server overloaded", retry: true},
	CodeWorkerUnavailable:    {status: http.StatusServiceUnavailable, message: "Worker unavailable", retry: true},
	CodeTaskTimeout:          {status: http.StatusGatewayTimeout, message: "Task timed out"},
}

// Known reports whether c is on the list.
func (c Code) Known() bool {
	_, ok := codes[c]
	return ok
}

// Error is an error that the caller may see: all of it except Err is sent. A task returns
// it to give its caller a typed error: a Runner client rebuilds its own registered error from
// ID and Data. The zero value is an internal error.
//
// An Error may be shared, so it must not be changed after it was returned.
type Error struct {
	// Code is CodeInternal if empty, as it is for every error of a Runner task.
	Code Code
	// Message is empty for the message of the code.
	Message string
	// ID names a registered error of the application; not sent if empty.
	ID string
	// Data belongs to ID; not sent if nil. It is encoded with goccy/go-json, and a
	// json.RawMessage is sent unchanged. If it cannot be encoded, the answer is a plain
	// internal error.
	Data any
	// HTTPCode sets the HTTP status, and is sent as httpCode if it is in the range 100 to 599.
	// A status that allows no body (below 200, 204, 205, 304) is replaced by 500. Zero means
	// the status of Code, and no httpCode.
	HTTPCode int
	// RetryAfter is sent as Retry-After, in whole seconds rounded up. Zero means 1 s for
	// RATE_LIMITED, OVERLOADED and WORKER_UNAVAILABLE, and no header for all other codes.
	RetryAfter time.Duration
	// Err is the cause, for logs, errors.Is and errors.As. It never leaves the process.
	Err error
}

// Error returns the message and the cause, for logs. It mentions a code that is not on the
// list, and an *Error that is nil.
func (e *Error) Error() string {
	if e == nil {
		return "a *protocol.Error that is nil"
	}
	text := string(e.code())
	if e.Code != "" && !e.Code.Known() {
		text += fmt.Sprintf(" (unknown code %q)", string(e.Code))
	}
	text += ": " + e.message()
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Status returns the HTTP status of the answer, 200 to 599.
func (e *Error) Status() int {
	if e.HTTPCode == 0 {
		return codes[e.code()].status
	}
	return StatusWithBody(e.HTTPCode)
}

func (e *Error) code() Code {
	if !e.Code.Known() {
		return CodeInternal
	}
	return e.Code
}

func (e *Error) message() string {
	if e.Message == "" {
		return codes[e.code()].message
	}
	return e.Message
}

// RetrySeconds returns the value of the Retry-After header in seconds, 0 for none.
func (e *Error) RetrySeconds() int64 {
	if e.RetryAfter > 0 {
		return int64((e.RetryAfter + time.Second - 1) / time.Second)
	}
	if codes[e.code()].retry {
		return 1
	}
	return 0
}

// Public returns the error that a caller may see for err, which must not be nil: the *Error
// in its chain, or a plain internal error with err as its cause. No error reaches the wire
// without it.
func Public(err error) *Error {
	var e *Error
	if errors.As(err, &e) && e != nil {
		return e
	}
	return &Error{Err: err}
}

// CodeOf returns the code of err on the wire: the code of the *Error in its chain if that is
// on the list, CodeInternal for every other error, and "" for nil. It is for the labels of
// metrics and logs.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return Public(err).code()
}

// UnknownID returns the error for an id that no executor serves.
func UnknownID(kind Kind, id string) *Error {
	return &Error{Code: CodeNotFound, Message: kind.title() + " " + id + " not found"}
}

// NotExposed returns the error for an id that is not on the allow-list.
func NotExposed(kind Kind, id string) *Error {
	return &Error{Code: CodeForbidden, Message: kind.title() + " " + id + " not exposed"}
}
