package http1

import (
	"bytes"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
)

const (
	// maxHead is the longest head of a plain request. Every http.Server takes that much.
	maxHead = 4 << 10
	// maxFields is how many header fields it may have.
	maxFields = 64
	// maxDigits is how many digits its Content-Length may have.
	maxDigits = 9
)

// verdict says what unread bytes are.
type verdict uint8

const (
	odd   verdict = iota // for another server
	short                // the beginning of what may be a plain request
	plain                // a plain request
)

var (
	lineStart = []byte("POST /")
	headEnd   = []byte("\r\n\r\n")
)

const (
	method  = "POST "
	version = " HTTP/1.1"
	newline = "\r\n"
)

// readHead reads the head at the beginning of buf into r, whose other fields it leaves alone.
// It returns the length of the head. Net/http reads every head alike that is plain to
// readHead. It does not read alike everything that some other server would take, and
// whatever two servers could understand in different ways is odd here.
func readHead(r *http.Request, buf []byte) (length int, what verdict) {
	if !bytes.HasPrefix(buf, lineStart) {
		if len(buf) < len(lineStart) && bytes.HasPrefix(lineStart, buf) {
			return 0, short
		}
		return 0, odd
	}
	end := bytes.Index(buf[:min(len(buf), maxHead)], headEnd)
	if end < 0 {
		if len(buf) >= maxHead {
			return 0, odd
		}
		return 0, short
	}
	// All strings of the request share this one.
	text := string(buf[:end+len(newline)])
	line, fields, _ := strings.Cut(text, newline)
	if !readLine(r, line) || !readFields(r, fields) {
		return 0, odd
	}
	return end + len(headEnd), plain
}

// readLine reads a request line.
func readLine(r *http.Request, line string) bool {
	target, ok := strings.CutSuffix(line[len(method):], version)
	if !ok {
		return false
	}
	if r.URL, ok = parseTarget(target); !ok {
		return false
	}
	r.Method, r.RequestURI = http.MethodPost, target
	r.Proto, r.ProtoMajor, r.ProtoMinor = version[1:], 1, 1
	return true
}

// The characters of plain targets.
const (
	pathByte    = 1 << iota // stands for itself in a path, whoever reads it
	specialByte             // net/url has to look at it
)

var targetBytes = func() (classes [256]byte) {
	for c := range len(classes) {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', strings.IndexByte("/-._~:@", byte(c)) >= 0:
			classes[c] = pathByte
		case strings.IndexByte("%!$&'()*+,;=", byte(c)) >= 0:
			classes[c] = specialByte
		}
	}
	return classes
}()

// parseTarget returns the URL of a request target that is a path of plain characters. Paths
// that a mux would redirect, or a proxy resolve, are odd.
func parseTarget(target string) (*url.URL, bool) {
	classes := byte(0)
	for i := 0; i < len(target); i++ {
		class := targetBytes[target[i]]
		if class == 0 {
			return nil, false
		}
		classes |= class
	}
	u := &url.URL{Path: target}
	if classes&specialByte != 0 {
		var err error
		if u, err = url.ParseRequestURI(target); err != nil || u.Host != "" {
			return nil, false
		}
	}
	if strings.Contains(u.Path, "//") || strings.Contains(u.Path, "/.") || strings.ContainsAny(u.Path, "\\\x00") {
		return nil, false
	}
	return u, true
}

// readFields reads the lines of header fields, of which each ends with a newline.
func readFields(r *http.Request, lines string) bool {
	count := strings.Count(lines, newline)
	if count > maxFields {
		return false
	}
	values := make([]string, count) // one piece of memory for all
	r.Header, r.Host, r.ContentLength = make(http.Header, count), "", -1
	for i := range values {
		var line string
		line, lines, _ = strings.Cut(lines, newline)
		name, value, ok := cutField(line)
		if !ok {
			return false
		}
		if name == "Host" {
			if r.Host != "" || !plainHost(value) {
				return false
			}
			r.Host = value
			continue
		}
		if _, repeated := r.Header[name]; repeated || !plainField(name, value) {
			return false
		}
		if name == "Content-Length" {
			if r.ContentLength, ok = plainLength(value); !ok {
				return false
			}
		}
		values[i] = value
		r.Header[name] = values[i : i+1 : i+1]
	}
	return r.Host != "" && r.ContentLength >= 0
}

// cutField returns the name, in canonical spelling, and the value of a header field. There
// is no blank before the colon, and one at most behind it and nowhere else outside of the
// value, which has printable characters of ASCII only.
func cutField(line string) (name, value string, ok bool) {
	for i := 0; i < len(line); i++ {
		if line[i] < ' ' || line[i] > '~' {
			return "", "", false
		}
	}
	name, value, ok = strings.Cut(line, ":")
	if !ok || !isToken(name) {
		return "", "", false
	}
	value = strings.TrimPrefix(value, " ")
	if value != "" && (value[0] == ' ' || value[len(value)-1] == ' ') {
		return "", "", false
	}
	return textproto.CanonicalMIMEHeaderKey(name), value, true
}

var tokenBytes = func() (is [256]bool) {
	for c := range len(is) {
		is[c] = 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0
	}
	return is
}()

// isToken reports whether name is a token of RFC 9110, as names of fields are.
func isToken(name string) bool {
	for i := 0; i < len(name); i++ {
		if !tokenBytes[name[i]] {
			return false
		}
	}
	return name != ""
}

// plainField reports whether a header field has no meaning for the connection, for the
// framing of the body, or for net/http.
func plainField(name, value string) bool {
	switch name {
	case "Transfer-Encoding", "Content-Encoding", "Expect", "Upgrade", "Http2-Settings", "Te", "Trailer",
		"Keep-Alive", "Proxy-Connection", "Pragma":
		return false
	case "Connection":
		return strings.EqualFold(value, "keep-alive")
	}
	return true
}

// plainHost reports whether value is a host, with or without a port.
func plainHost(value string) bool {
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '.', c == '-', c == '_', c == ':', c == '[', c == ']':
		default:
			return false
		}
	}
	return value != ""
}

// plainLength returns the length that value is, in decimal digits without leading zeros.
func plainLength(value string) (int64, bool) {
	if value == "" || len(value) > maxDigits || value[0] == '0' && value != "0" {
		return 0, false
	}
	for i := 0; i < len(value); i++ {
		if value[i] < '0' || value[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(value, 10, 64)
	return n, err == nil
}
