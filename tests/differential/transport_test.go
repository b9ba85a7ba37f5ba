package differential_test

// What is decided before, or below, a Handler: by net/http here, by the HTTP and URL
// parsers of Node.js there. No client of the protocol sends any of it.
var transportDifferences = []difference{
	{
		reason: "net/http refuses a target with a bad percent escape",
		what:   bareHere("status: 404, ours: 400", notFoundAnswer),
		cases: []string{
			"routing/POST /__runner/task/%", "routing/POST /__runner/task/%z", "routing/POST /__runner/task/%zz",
			"routing/POST /__runner/task/a%2", "routing/POST /__runner/task/a/%zz", "methods/GET /__runner/task/%zz",
			"methods/404 of a bad id without a token",
		},
	},
	{
		reason: "net/http refuses a target with a bad percent escape, also where the rest of the path is ignored",
		what:   bareHere("status: 200, ours: 400", discoveryAnswer),
		cases:  []string{"routing/GET /__runner/discovery/anything/%zz"},
	},
	{
		reason: "net/http refuses a target with a bad percent escape, of a preflight too",
		what: []string{
			"status: 204, ours: 400", "content-type: none, ours: text/plain; charset=utf-8", "access-control-allow-origin: *, ours: none",
			"access-control-allow-methods: POST, OPTIONS, ours: none", bodyDiffers("", "400 Bad Request"),
		},
		cases: []string{"methods/OPTIONS /__runner/task/%zz"},
	},
	{
		reason: "net/http refuses a target with a bad host, which Runner turns into an internal error",
		what: withoutLines(bareHere("status: 500, ours: 400", internalAnswer),
			"x-runner-request-id: <new UUID v4>, ours: none"),
		cases: []string{
			"routing/POST http://[/__runner/task/app.tasks.add", "routing/POST http://anything:x/__runner/task/app.tasks.add",
			"routing/POST http://%zz/__runner/task/app.tasks.add",
		},
	},
	{
		reason: "net/http takes any number as a port",
		what:   []string{"status: 500, ours: 200", "x-runner-request-id: none, ours: <new UUID v4>", bodyDiffers(internalAnswer, sumAnswer)},
		cases:  []string{"routing/POST http://anything:99999/__runner/task/app.tasks.add"},
	},
	{
		reason: "net/http reads an empty host where the WHATWG's parser takes the next segment for the host",
		what:   []string{"status: 404, ours: 200", "x-runner-request-id: none, ours: <new UUID v4>", bodyDiffers(notFoundAnswer, sumAnswer)},
		cases:  []string{"routing/POST http:///__runner/task/app.tasks.add"},
	},
	{
		reason: "net/http takes a target with a scheme and no host",
		what:   bareThere("status: 400, ours: 200", sumAnswer),
		cases:  []string{"routing/POST http:/__runner/task/app.tasks.add"},
	},
	{
		reason: "net/http takes a target with a scheme and no slash",
		what: withoutLines(bareThere("status: 400, ours: 404", notFoundAnswer),
			"x-runner-request-id: none, ours: <new UUID v4>"),
		cases: []string{"routing/POST http:__runner/task/app.tasks.add"},
	},
	{
		reason: "net/http takes a target beyond ASCII",
		what:   bareThere("status: 400, ours: 403", errorAnswer("FORBIDDEN", "Task é not exposed")),
		cases:  []string{"routing/POST /__runner/task/\xc3\xa9"},
	},
	{
		reason: "net/http takes a target beyond ASCII, and the Handler refuses what is not UTF-8",
		what:   bareThere("status: 400, ours: 404", notFoundAnswer),
		cases:  []string{"routing/POST /__runner/task/\xff"},
	},
	{
		reason: "net/http says in a text what Node.js says by the status",
		what:   []string{"content-type: none, ours: text/plain; charset=utf-8", bodyDiffers("", "400 Bad Request")},
		cases: []string{
			`routing/POST \__runner\task\app.tasks.add`, `routing/POST http://anything\__runner\task\app.tasks.add`,
			"routing/POST __runner/task/app.tasks.add", "routing/POST /__runner/task/a b", "routing/POST /__runner/task/a\tb",
			"methods/no HTTP", "methods/bad header line", "methods/two lengths", "methods/negative length",
		},
	},
	{
		reason: "the same, of a missing Host",
		what: []string{
			"content-type: none, ours: text/plain; charset=utf-8",
			bodyDiffers("", "400 Bad Request: missing required Host header"),
		},
		cases: []string{"methods/no Host"},
	},
	{
		reason: "the same, of a header's name",
		what:   []string{"content-type: none, ours: text/plain; charset=utf-8", bodyDiffers("", "400 Bad Request: invalid header name")},
		cases:  []string{"methods/space before the colon"},
	},
	{
		reason: "net/http refuses two Host headers, as RFC 9112 (section 3.2) asks",
		what:   bareHere("status: 200, ours: 400", sumAnswer),
		cases:  []string{"methods/two Hosts"},
	},
	{
		reason: "net/http answers OPTIONS * itself",
		what: []string{
			"status: 404, ours: 200", "content-type: application/json; charset=utf-8, ours: none",
			"x-content-type-options: nosniff, ours: none", "x-frame-options: DENY, ours: none",
			"access-control-allow-origin: *, ours: none", bodyDiffers(notFoundAnswer, ""),
		},
		cases: []string{"methods/OPTIONS *"},
	},
	{
		reason: "net/http takes any method, Node.js a fixed list",
		what: bareThere("status: 400, ours: 405", errorAnswer("METHOD_NOT_ALLOWED", "Method Not Allowed"),
			"allow: none, ours: POST, OPTIONS"),
		cases: []string{"methods/post /__runner/task/app.tasks.add", "methods/FOO /__runner/task/app.tasks.add"},
	},
	{
		reason: "Node.js hangs up on CONNECT where the application does not wait for it",
		what: bareThere("status: 0, ours: 405", errorAnswer("METHOD_NOT_ALLOWED", "Method Not Allowed"),
			"allow: none, ours: POST, OPTIONS"),
		cases: []string{"methods/CONNECT /__runner/task/app.tasks.add"},
	},
	{
		reason: "Node.js hangs up on CONNECT, to a host as well, which is outside the base path",
		what:   withoutLines(bareThere("status: 0, ours: 404", notFoundAnswer), "x-runner-request-id: none, ours: <new UUID v4>"),
		cases:  []string{"methods/CONNECT localhost:80"},
	},
	{
		reason: "net/http lets chunking win over a length, as RFC 9112 (section 6.3) allows",
		what:   bareThere("status: 400, ours: 200", sumAnswer),
		cases:  []string{"methods/length and chunked"},
	},
	{
		reason: "net/http has a status of its own for a transfer coding that it does not know",
		what: []string{
			"status: 400, ours: 501", "content-type: none, ours: text/plain; charset=utf-8",
			bodyDiffers("", "Unsupported transfer encoding"),
		},
		cases: []string{"methods/unknown transfer coding"},
	},
	{
		reason: "net/http says how long the empty body of its 417 is",
		what:   []string{"content-length: none, ours: of the body"},
		cases:  []string{"methods/unknown expectation"},
	},
	{
		reason: "net/http says 100 when the body is wanted, Node.js before it asks anybody",
		what:   []string{"interim: 100, ours: "},
		cases:  []string{"methods/continue without a token"},
	},
	{
		reason: "net/http takes up to 1 MiB of headers unless its server is told otherwise, Node.js 16 KiB",
		what:   bareThere("status: 431, ours: 200", sumAnswer),
		cases:  []string{"methods/header block of 20 KB"},
	},
	{
		reason: "Node.js answers by itself where a body is badly chunked; here the Handler, which net/http has called by then, says so",
		what:   bareThere("", invalidJSONAnswer)[1:],
		cases:  []string{"JSON/bad chunk"},
	},
	{
		reason: "Node.js answers by itself where a body ends early; here it is a caller who leaves",
		what:   bareThere("status: 400, ours: 499", abortedAnswer),
		cases:  []string{"JSON/cut upload", "JSON/cut chunked upload"},
	},
	{
		reason: "Node.js reads header bytes as Latin-1, where 0xA0 is a blank to trim",
		what:   []string{"x-runner-request-id: a, ours: <new UUID v4>"},
		cases:  []string{"request id/Latin-1 blank"},
	},
}
