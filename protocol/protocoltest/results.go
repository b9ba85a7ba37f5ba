package protocoltest

import "strings"

func resultCases() []Case {
	echo := func(name, rule, value string) Case {
		return Case{Name: name, Rule: rule, Request: task("echo", `{"input":`+value+`}`), Want: result(value)}
	}
	long := `"` + strings.Repeat("é", 500_000) + `"`
	return []Case{
		{
			Name: "undefined", Rule: "A task without a result answers undefined: the member result is always there.",
			Request: task("nothing", `{"input":1}`), Want: result(undefined),
		},
		{
			Name: "string", Rule: "A result may be a string.",
			Request: task("greet", `{"input":{"name":"Ada"}}`), Want: result(`"Hello, Ada!"`),
		},
		{
			Name: "fraction", Rule: "A number has as many digits as it needs.",
			Request: task("add", `{"input":{"a":0.1,"b":0.2}}`), Want: result(`0.30000000000000004`),
		},
		{
			Name: "large number", Rule: "A large number is written with an exponent.",
			Request: task("add", `{"input":{"a":1e21,"b":0}}`), Want: result(`1e+21`),
		},
		echo("null", "A result may be null.", `null`),
		echo("false", "A result may be false.", `false`),
		echo("empty string", "A result may be an empty string.", `""`),
		echo("zero", "A result may be zero.", `0`),
		echo("members in order", "The members of a result keep their order.", `{"b":1,"a":{"d":[],"c":{}}}`),
		echo("large", "A result may be large.", long),
		{
			Name: "accept", Rule: "Accept is ignored.",
			Request: add().with("accept", "text/html"), Want: result(`8`),
		},
		{
			Name: "accept-encoding", Rule: "A result is not compressed, whatever the caller accepts.",
			Request: task("echo", long).with("accept-encoding", "gzip, br"), Want: result(long),
		},
	}
}
