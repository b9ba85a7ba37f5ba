package protocoltest

// pathCases are about the normal form of a path before routing: that of a WHATWG URL parser,
// without redirects.
func pathCases() []Case {
	same := func(name, rule, path string) Case {
		return Case{Name: name, Rule: rule, Request: post(path, addBody), Want: result(`8`)}
	}
	elsewhere := func(name, rule, path string) Case {
		return Case{Name: name, Rule: rule, Request: post(path, addBody), Want: outside()}
	}
	byHand := func(c Case) Case { c.HTTP1Only = true; return c }
	return []Case{
		same("trailing slash", "A slash at the end makes no difference.", addPath+"/"),
		same("trailing slashes", "Slashes at the end make no difference.", addPath+"///"),
		same("slashes behind the base", "Empty segments behind the base are dropped.", base+"//task/app.tasks.add"),
		same("slashes behind the word", "Empty segments behind the word are dropped.", base+"/task//app.tasks.add"),
		same("query", "The query is ignored.", addPath+"?a=1&x-runner-token=wrong"),
		same("empty query", "An empty query is ignored.", addPath+"?"),
		same("fragment", "A fragment is ignored.", addPath+"#fragment/../x"),
		same("dot segment", "A segment of one dot is dropped.", base+"/./task/./app.tasks.add"),
		same("escaped dot segment", "A segment of one escaped dot is dropped.", base+"/%2e/task/%2E/app.tasks.add"),
		same("two dots", "A segment of two dots takes the one before with it.", base+"/task/../task/app.tasks.add"),
		same("two escaped dots", "A segment of two escaped dots takes the one before with it.", base+"/task/%2e%2E/task/x/.%2e/app.tasks.add"),
		same("two dots before the base", "Dot segments are resolved before the base is looked for.", "/x/../__runner/task/app.tasks.add"),
		same("two dots beyond the root", "Two dots at the root stay there.", "/../../__runner/task/app.tasks.add"),
		same("two dots behind an empty segment", "Two dots may take an empty segment with them.", base+"/task//../app.tasks.add"),
		same("backslashes", "A backslash counts as a slash.", `/__runner\task\app.tasks.add`),
		same("dot segments between backslashes", "Dot segments are found between backslashes too.", `/__runner\x\..\task/app.tasks.add`),
		{
			Name: "dot at the end", Rule: "A task path that ends in a dot segment has no id.",
			Request: post(base+"/task/.", addBody), Want: notFound(),
		},
		{
			Name: "two dots at the end", Rule: "Two dots at the end take the last segment with them.",
			Request: post(base+"/task/app.tasks.add/..", addBody), Want: notFound(),
		},
		{
			Name: "three dots", Rule: "A segment of three dots is a name like any other.",
			Request: post(base+"/task/...", addBody), Want: forbidden("Task ... not exposed"),
		},
		{
			Name: "dots and an escaped slash", Rule: "An escaped slash ends no dot segment.",
			Request: post(base+"/task/..%2Fdiscovery", addBody), Want: forbidden("Task ../discovery not exposed"),
		},
		{
			Name: "escaped backslash", Rule: "An escaped backslash is part of the id.",
			Request: post(base+"/task/a%5Cb", addBody), Want: forbidden(`Task a\\b not exposed`),
		},
		{
			Name: "escaped fragment", Rule: "An escaped number sign is part of the id.",
			Request: post(base+"/task/a%23b", addBody), Want: forbidden("Task a#b not exposed"),
		},
		{
			Name: "escaped query", Rule: "An escaped question mark is part of the id.",
			Request: post(base+"/task/a%3Fb", addBody), Want: forbidden("Task a?b not exposed"),
		},
		{
			Name: "backslash beside an escape", Rule: "A raw backslash leaves escapes in the path alone.",
			Request: post(`/__runner\task/a%2Fb`, addBody), Want: forbidden("Task a/b not exposed"),
		},
		elsewhere("two dots out of the base", "Two dots may lead out of the base.", base+"/../other/task/app.tasks.add"),
		elsewhere("escaped dots out of the base", "Two escaped dots may lead out of the base.", base+"/task/%2e%2e/%2e%2e/x"),
		elsewhere("empty segments at the start by dots", "A path that begins with two slashes once dots are resolved is outside the base.", "/x/..//__runner/task/app.tasks.add"),
		elsewhere("slash and backslash at the start", "A slash and a backslash at the start begin a host name, not the base.", `/\__runner/task/app.tasks.add`),
		byHand(elsewhere("two slashes at the start", "Two slashes at the start begin a host name, not the base.", "//__runner/task/app.tasks.add")),
		byHand(elsewhere("three slashes at the start", "Three slashes at the start are outside the base.", "///__runner/task/app.tasks.add")),
		byHand(elsewhere("two slashes alone", "Two slashes alone are outside the base.", "//")),
		byHand(same("absolute form", "A target in absolute form is accepted, its host ignored.", "http://anything.example"+addPath)),
	}
}
