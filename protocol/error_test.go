package protocol

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestCodes(t *testing.T) {
	for code, want := range map[Code]struct {
		text   string
		status int
	}{
		CodeInvalidJSON:          {"INVALID_JSON", 400},
		CodeInvalidInput:         {"INVALID_INPUT", 400},
		CodeMissingManifest:      {"MISSING_MANIFEST", 400},
		CodeInvalidMultipart:     {"INVALID_MULTIPART", 400},
		CodeParallelEventReturn:  {"PARALLEL_EVENT_RETURN_UNSUPPORTED", 400},
		CodeUnauthorized:         {"UNAUTHORIZED", 401},
		CodeForbidden:            {"FORBIDDEN", 403},
		CodeNotFound:             {"NOT_FOUND", 404},
		CodeMethodNotAllowed:     {"METHOD_NOT_ALLOWED", 405},
		CodeRequestTimeout:       {"REQUEST_TIMEOUT", 408},
		CodePayloadTooLarge:      {"PAYLOAD_TOO_LARGE", 413},
		CodeUnsupportedMediaType: {"UNSUPPORTED_MEDIA_TYPE", 415},
		CodeRateLimited:          {"RATE_LIMITED", 429},
		CodeRequestAborted:       {"REQUEST_ABORTED", 499},
		CodeInternal:             {"INTERNAL_ERROR", 500},
		CodeMissingFilePart:      {"MISSING_FILE_PART", 500},
		CodeStream:               {"STREAM_ERROR", 500},
		CodeAuthNotConfigured:    {"AUTH_NOT_CONFIGURED", 500},
		CodeWorkerCrashed:        {"WORKER_CRASHED", 502},
		CodeOverloaded:           {"OVERLOADED", 503},
		CodeWorkerUnavailable:    {"WORKER_UNAVAILABLE", 503},
		CodeTaskTimeout:          {"TASK_TIMEOUT", 504},
	} {
		assert.True(t, code.Known(), code)
		assert.Equal(t, want.text, string(code))
		assert.Equal(t, want.status, (&Error{Code: code}).Status(), code)
		assert.NotEmpty(t, (&Error{Code: code}).message(), "%s needs a message: clients replace an empty one", code)
	}
	assert.Len(t, codes, 22, "a new code belongs in this test")
	assert.False(t, Code("").Known())
	assert.False(t, Code("not_found").Known())
}

func TestErrorStatus(t *testing.T) {
	for httpCode, want := range map[int]int{
		0: 404, 200: 200, 201: 201, 299: 299, 404: 404, 418: 418, 500: 500, 599: 599,
		-1: 500, 1: 500, 99: 500, 100: 500, 101: 500, 103: 500, 199: 500, 204: 500, 205: 500, 304: 500, 600: 500, 1000: 500,
	} {
		assert.Equal(t, want, (&Error{Code: CodeNotFound, HTTPCode: httpCode}).Status(), httpCode)
	}
}

func TestErrorOfUnknownCode(t *testing.T) {
	for code, text := range map[Code]string{"": "INTERNAL_ERROR: Internal Error", "MADE_UP": `INTERNAL_ERROR (unknown code "MADE_UP"): Internal Error`} {
		e := &Error{Code: code}
		assert.Equal(t, http.StatusInternalServerError, e.Status())
		assert.Equal(t, text, e.Error(), "for the log")
		assert.Equal(t, CodeInternal, CodeOf(e))
	}
}

func TestCodeOf(t *testing.T) {
	var none *Error
	for want, err := range map[Code]error{
		"":             nil,
		CodeNotFound:   fmt.Errorf("wrapped: %w", &Error{Code: CodeNotFound}),
		CodeInternal:   errors.New("private"),
		CodeOverloaded: errors.Join(errors.New("private"), &Error{Code: CodeOverloaded, HTTPCode: 418}),
	} {
		assert.Equal(t, want, CodeOf(err))
	}
	assert.Equal(t, CodeInternal, CodeOf(none), "an error that is nil is one all the same")
}

func TestErrorText(t *testing.T) {
	cause := errors.New("the cause")
	e := &Error{Code: CodeNotFound, Message: "No such thing", Err: cause}
	assert.Equal(t, "NOT_FOUND: No such thing: the cause", e.Error())
	assert.ErrorIs(t, e, cause)
	assert.Equal(t, "NOT_FOUND: Not Found", (&Error{Code: CodeNotFound}).Error())
}

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		code  Code
		after time.Duration
		want  int64
	}{
		{CodeInternal, 0, 0}, {CodeTaskTimeout, 0, 0}, {CodeWorkerCrashed, 0, 0},
		{CodeRateLimited, 0, 1}, {CodeOverloaded, 0, 1}, {CodeWorkerUnavailable, 0, 1},
		{CodeOverloaded, time.Nanosecond, 1}, {CodeOverloaded, time.Second, 1}, {CodeOverloaded, time.Second + 1, 2},
		{CodeOverloaded, time.Minute, 60}, {CodeInternal, 3 * time.Second, 3}, {CodeOverloaded, -time.Second, 1},
	} {
		assert.Equal(t, c.want, (&Error{Code: c.code, RetryAfter: c.after}).RetrySeconds(), "%s %v", c.code, c.after)
	}
}

func TestPublic(t *testing.T) {
	own := &Error{Code: CodeForbidden, Message: "told"}
	assert.Same(t, own, Public(own))
	assert.Same(t, own, Public(fmt.Errorf("around: %w", own)))
	assert.Same(t, own, Public(errors.Join(errors.New("other"), own)))

	private := errors.New("secret")
	public := Public(private)
	assert.Equal(t, CodeInternal, public.code())
	assert.Equal(t, "Internal Error", public.message())
	assert.Empty(t, public.Message+public.ID)
	assert.Nil(t, public.Data)
	assert.ErrorIs(t, public, private, "for the log")

	var none *Error
	assert.NotNil(t, Public(error(none)), "a nil *Error in an error is a bug, not a public error")
	assert.Equal(t, http.StatusInternalServerError, Public(error(none)).Status())
}

func TestErrorsAboutIDs(t *testing.T) {
	for want, e := range map[string]*Error{
		"NOT_FOUND: Task a b not found":   UnknownID(KindTask, "a b"),
		"NOT_FOUND: Event e not found":    UnknownID(KindEvent, "e"),
		"FORBIDDEN: Task a b not exposed": NotExposed(KindTask, "a b"),
		"FORBIDDEN: Event e not exposed":  NotExposed(KindEvent, "e"),
	} {
		assert.EqualError(t, e, want)
	}
	assert.Equal(t, "task", KindTask.String())
	assert.Equal(t, "event", KindEvent.String())
}
