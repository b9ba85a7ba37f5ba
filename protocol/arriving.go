package protocol

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
)

// arriving is the body of a request as its server hands it out. What its Read fails
// with is an *Error where the caller, the connection or the server is the reason, and
// what the server says where the body is: badly chunked.
type arriving struct{ *http.Request }

func (a arriving) Read(p []byte) (int, error) {
	n, err := a.Body.Read(p)
	if err != nil && err != io.EOF {
		err = a.failure(err)
	}
	return n, err
}

func (a arriving) failure(err error) error {
	var tooLarge *http.MaxBytesError // of a handler around this one
	var connection net.Error
	switch {
	case errors.As(err, &tooLarge):
		return &Error{Code: CodePayloadTooLarge}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Code: CodeRequestTimeout, Err: err}
	case a.ProtoMajor > 1, // their bodies are frames, which only a caller that leaves breaks off
		errors.Is(err, io.ErrUnexpectedEOF), // its connection has ended, or a half of it
		a.Context().Err() != nil, errors.Is(err, context.Canceled), errors.As(err, &connection):
		return &Error{Code: CodeRequestAborted, Err: err}
	}
	return err
}

// aborted reports whether err says that the caller has left.
func aborted(err error) bool {
	var known *Error
	return errors.As(err, &known) && known.Code == CodeRequestAborted
}

var errTooLarge = errors.New("body over the limit")

// bodyError returns the error for a body that could not be read. Malformed is the code
// for one that is itself wrong: badly chunked, or not gzip.
func bodyError(err error, malformed Code) *Error {
	var known *Error
	switch {
	case err == errTooLarge:
		return &Error{Code: CodePayloadTooLarge}
	case errors.As(err, &known):
		return known
	}
	return &Error{Code: malformed, Err: err}
}
