package protocol

import (
	"net/url"
	"path"
	"strings"
	"unicode/utf8"
)

// DefaultBasePath is the base path of every server and client unless configured.
const DefaultBasePath = "/__runner"

// BasePath is a base path in its normal form: escaped, with a leading slash and without a
// trailing slash. The root is empty.
type BasePath string

// ParseBasePath returns the normal form of s, which is not escaped. Empty means
// DefaultBasePath, "/" the root.
func ParseBasePath(s string) BasePath {
	if s == "" {
		s = DefaultBasePath
	}
	s = path.Clean("/" + s)
	if s == "/" {
		return ""
	}
	escaped := (&url.URL{Path: s}).EscapedPath()
	// URL parsers, and so clients, do not escape these.
	return BasePath(strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%5B", "[", "%5D", "]").Replace(escaped))
}

// Cut removes the base path from the path of a request and returns the rest in its normal
// form, still escaped: a slash before every segment and no empty segment, so that
// "//task//a%2Fb/" becomes "/task/a%2Fb". It reports false for a path that is not below the
// base path.
//
// Paths are read as a Node.js server reads them: dot segments, also escaped, are resolved in
// place, and a backslash counts as a slash. No path is redirected, since the clients of the
// protocol do not follow redirects.
func (b BasePath) Cut(u *url.URL) (rest string, ok bool) {
	full := escapedPath(u)
	if needsResolving(full) {
		full = resolve(full)
	}
	if strings.HasPrefix(full, "//") { // a WHATWG URL parser reads a host here
		return "", false
	}
	rest, ok = strings.CutPrefix(full, string(b))
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	if strings.Contains(rest, "//") || strings.HasSuffix(rest, "/") {
		rest = dropEmptySegments(rest)
	}
	return rest, true
}

// UnescapeID decodes the id of a task or event in a path. It reports false for an empty id
// and for an id that is not percent-encoded UTF-8.
func UnescapeID(escaped string) (id string, ok bool) {
	id, err := url.PathUnescape(escaped)
	return id, err == nil && id != "" && utf8.ValidString(id)
}

// escapedPath returns the path of the request line. URL.EscapedPath alone is not enough: it
// ignores RawPath for a path with a raw backslash and writes %5C, which is another path.
func escapedPath(u *url.URL) string {
	if u.RawPath != "" {
		if path, err := url.PathUnescape(u.RawPath); err == nil && path == u.Path {
			return u.RawPath
		}
	}
	return u.EscapedPath()
}

func needsResolving(path string) bool {
	return strings.ContainsAny(path, `\#`) || strings.Contains(path, "/.") || strings.Contains(path, "/%2")
}

// resolve changes a path as the URL parser of the WHATWG does in the cases that matter here: a
// fragment ends it, backslashes become slashes, and dot segments are removed.
func resolve(path string) string {
	path, _, _ = strings.Cut(path, "#")
	path = strings.ReplaceAll(path, `\`, "/")
	segments := strings.Split(path, "/")[1:]
	kept := segments[:0]
	for i, segment := range segments {
		last := i == len(segments)-1
		switch dots(segment) {
		case 0:
			kept = append(kept, segment)
			continue
		case 2:
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		}
		if last {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// dots returns the number of dots, plain or escaped, of a dot segment, and 0 for any other
// segment.
func dots(segment string) int {
	if len(segment) > len("%2e%2e") {
		return 0
	}
	switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
	case ".":
		return 1
	case "..":
		return 2
	}
	return 0
}

func dropEmptySegments(path string) string {
	var b strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" {
			b.WriteByte('/')
			b.WriteString(segment)
		}
	}
	return b.String()
}
