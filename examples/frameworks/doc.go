// Package frameworks mounts a tunnel.Handler in well-known frameworks and servers, a file
// each, and tests what the tunnel promises there and behind real proxies. It is a module of
// its own, so that those who use the library do not get their dependencies. README.md says
// what each of them needs.
package frameworks
