package protocol

import "net/http"

// StatusWithBody returns the status of an answer with a body: 200 for 0, 500 for a status with
// which HTTP, or a browser's fetch, allows no body, and otherwise status.
func StatusWithBody(status int) int {
	switch {
	case status == 0:
		return http.StatusOK
	case status < 200, status > 599, !HasBody(status):
		return http.StatusInternalServerError
	}
	return status
}

// HasBody reports whether an answer with a final status may have a body.
func HasBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusResetContent && status != http.StatusNotModified
}
