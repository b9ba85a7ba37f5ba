package protocoltest

import (
	"net/http"
	"strconv"
)

func errorCases() []Case {
	const code = "INTERNAL_ERROR"
	quota := failure(http.StatusInternalServerError, code, "Quota of 3 exceeded", `"id":"app.errors.quota"`, `"data":{"limit":3}`)
	teapot := failure(http.StatusTeapot, code, "I am a blue pot", `"id":"app.errors.teapot"`, `"data":{"pot":"blue"}`, `"httpCode":418`)
	coded := func(name, rule string, sent string, status int, fields ...string) Case {
		fields = append([]string{`"id":"app.errors.coded"`, `"data":{"httpCode":` + sent + `}`}, fields...)
		message, err := strconv.Unquote(sent)
		if err != nil {
			message = sent
		}
		return Case{
			Name: name, Rule: rule, Request: task("coded", `{"input":{"httpCode":`+sent+`}}`),
			Want: failure(status, code, "Coded "+message, fields...),
		}
	}
	numeric := Setup{NumericErrorCodes: true}
	return []Case{
		{
			Name: "plain error", Rule: "What a plain error says does not leave the process.",
			Request: task("fail", `{}`), Want: internal(),
		},
		{
			Name: "result that cannot be serialised", Rule: "A result that cannot be serialised is an internal error.",
			Request: task("function", `{}`), Want: internal(),
		},
		{
			Name: "cancellation", Rule: "A cancellation error is answered with 499.",
			Request: task("cancelled", `{}`),
			Want:    failure(499, "REQUEST_ABORTED", "Client Closed Request"),
		},
		{
			Name: "typed error", Rule: "A typed error has its message, id and data, and status 500.",
			Request: task("quota", `{}`), Want: quota,
		},
		{
			Name: "typed error with a status", Rule: "A typed error may set the status, and its code stays.",
			Request: task("teapot", `{}`), Want: teapot,
		},
		coded("status 404", "A typed error with status 404 is no other NOT_FOUND.", `404`, 404, `"httpCode":404`),
		coded("status 599", "599 is the last status.", `599`, 599, `"httpCode":599`),
		coded("status 299", "A typed error with a status of success is still a failure.", `299`, 299, `"httpCode":299`),
		coded("status 200", "A typed error with status 200 is still a failure.", `200`, 200, `"httpCode":200`),
		coded("status 204", "A status that forbids a body becomes 500, the error stays.", `204`, 500, `"httpCode":204`),
		coded("status 304", "A status that means no change becomes 500, the error stays.", `304`, 500, `"httpCode":304`),
		coded("status 100", "An informational status becomes 500, the error stays.", `100`, 500, `"httpCode":100`),
		coded("status 101", "The status of an upgrade becomes 500, the error stays.", `101`, 500, `"httpCode":101`),
		coded("status 99", "A status below 100 is none.", `99`, 500),
		coded("status 600", "A status above 599 is none.", `600`, 500),
		coded("status that is negative", "A negative status is none.", `-404`, 500),
		coded("status that is a fraction", "A fraction is no status.", `418.5`, 500),
		coded("status that is a string", "A string is no status.", `"418"`, 500),
		{
			Name: "numeric codes", Rule: "In the older form the code is the status, and codeName the code.",
			Setup: numeric, Request: add().noToken(),
			Want: Want{Status: 401, Body: `{"ok":false,"error":{"message":"Unauthorized","code":401,"codeName":"UNAUTHORIZED"}}`},
		},
		{
			Name: "numeric codes of a typed error", Rule: "In the older form a typed error has its own status as code.",
			Setup: numeric, Request: task("teapot", `{}`),
			Want: Want{Status: 418, Body: `{"ok":false,"error":{"message":"I am a blue pot","code":418,"codeName":"INTERNAL_ERROR","id":"app.errors.teapot","data":{"pot":"blue"},"httpCode":418}}`},
		},
		{
			Name: "numeric codes of a plain error", Rule: "In the older form a plain error says no more than in the other.",
			Setup: numeric, Request: task("fail", `{}`),
			Want: Want{Status: 500, Body: `{"ok":false,"error":{"message":"Internal Error","code":500,"codeName":"INTERNAL_ERROR"}}`},
		},
		{
			Name: "numeric codes outside the base", Rule: "The older form holds for every answer.",
			Setup: numeric, Request: add().method(http.MethodGet),
			Want: Want{Status: 405, Body: `{"ok":false,"error":{"message":"Method Not Allowed","code":405,"codeName":"METHOD_NOT_ALLOWED"}}`}.with("Allow", "POST, OPTIONS"),
		},
	}
}
