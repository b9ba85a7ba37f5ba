package main

// A contender is a server that is measured, in a process of its own.
type contender struct {
	name, title string
	script      string // of a contender that is a Node.js program
	node        bool   // needs Node.js
	packages    bool   // needs the npm packages
	pool        bool   // has worker processes, as many as one likes
	ours        bool
}

func contenders() []contender {
	return []contender{
		{name: "exposure", title: "Runner 5.5.0, its own exposure", script: "exposure.js", node: true, packages: true},
		{name: "ipc-runner", title: "go-tunnel, Runner application", node: true, packages: true, pool: true, ours: true},
		{name: "node", title: "bare node:http", script: "node.js", node: true},
		{name: "fastify", title: "fastify", script: "fastify.js", node: true, packages: true},
		{name: "ipc-module", title: "go-tunnel, task module", node: true, pool: true, ours: true},
		{name: "standalone", title: "go-tunnel, tasks in Go", ours: true},
		{name: "bare", title: "bare net/http, the limit"},
	}
}

// fronted is the end of the names of contenders whose plain calls a front answers.
const fronted = "-front"

// others are measured only if the command line names them.
func others() []contender {
	return []contender{
		{name: "ipc-bun", title: "go-tunnel, task module, Bun", pool: true, ours: true},
		{name: "ipc-deno", title: "go-tunnel, task module, Deno", pool: true, ours: true},
		{name: "standalone" + fronted, title: "go-tunnel, tasks in Go, front", ours: true},
		{name: "ipc-module" + fronted, title: "go-tunnel, task module, front", node: true, pool: true, ours: true},
		{name: "ipc-runner" + fronted, title: "go-tunnel, Runner application, front", node: true, packages: true, pool: true, ours: true},
	}
}

// runs reports whether a contender can have a load.
func (c contender) runs(l *load) bool { return l.workers == 1 || c.pool }
