package protocol

import (
	"errors"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"
)

var (
	errNoDisposition     = errors.New("no Content-Disposition of form-data")
	errBrokenDisposition = errors.New("malformed Content-Disposition")
	errNoFileName        = errors.New("neither a file name nor the type application/octet-stream")
)

// disposition is the content of the header Content-Disposition of a part.
type disposition struct{ name, filename string }

// parseDisposition parses a Content-Disposition in all forms that senders use. If a parameter is
// there twice, the first one counts. A name may be in Latin-1, and its extended form in an unknown
// charset. Package mime accepts none of this.
func parseDisposition(header string) (d disposition, err error) {
	kind, rest, _ := strings.Cut(header, ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "form-data") {
		return d, errNoDisposition
	}
	var name, filename parameter
	continued := false
	for rest = trimBlanks(rest); rest != ""; {
		if rest[0] == ';' { // an empty parameter
			rest = trimBlanks(rest[1:])
			continue
		}
		var key, value string
		var ok bool
		if key, value, rest, ok = cutParameter(rest); !ok {
			return d, errBrokenDisposition
		}
		switch strings.ToLower(key) {
		case "name":
			name.setPlain(value)
		case "name*":
			name.setExtended(value)
		case "filename":
			filename.setPlain(value)
		case "filename*":
			filename.setExtended(value)
		case "name*0", "name*0*", "filename*0", "filename*0*":
			continued = true
		}
	}
	d = disposition{name: name.String(), filename: filename.String()}
	if continued { // RFC 2231, section 3, is for mail and not for forms
		if _, params, err := mime.ParseMediaType(header); err == nil {
			d = disposition{name: params["name"], filename: params["filename"]}
		}
	}
	return d, nil
}

// parameter is a name in its plain form, its extended form or both.
type parameter struct {
	plain, extended       string
	hasPlain, hasExtended bool
}

func (p *parameter) setPlain(value string) {
	if !p.hasPlain {
		p.plain, p.hasPlain = decodeHeaderText(value), true
	}
}

// setExtended sets a value of RFC 8187: charset'language'percent-encoded. A value that cannot
// be decoded counts only if there is no plain value.
func (p *parameter) setExtended(value string) {
	charset, rest, _ := strings.Cut(value, "'")
	_, encoded, ok := strings.Cut(rest, "'")
	if !ok {
		charset, encoded = "", value
	}
	data, err := url.PathUnescape(encoded)
	switch {
	case p.hasExtended || encoded == "":
	case err == nil && isUTF8(charset):
		p.extended, p.hasExtended = string(replaceInvalidUTF8([]byte(data))), true
	case err == nil && isLatin1(charset):
		p.extended, p.hasExtended = decodeLatin1(data), true
	case p.plain == "":
		if err != nil {
			data = encoded
		}
		p.plain = decodeHeaderText(data)
	}
}

func (p *parameter) String() string {
	if p.hasExtended {
		return p.extended
	}
	return p.plain
}

// cutParameter splits s after the first parameter and its semicolon.
func cutParameter(s string) (key, value, rest string, ok bool) {
	key, rest, ok = strings.Cut(s, "=")
	key = strings.TrimRight(key, " \t")
	if !ok || key == "" || strings.ContainsAny(key, " \t;\"") {
		return "", "", "", false
	}
	rest = trimBlanks(rest)
	if !strings.HasPrefix(rest, `"`) {
		value, rest, _ = strings.Cut(rest, ";")
		value = strings.TrimRight(value, " \t")
		return key, value, trimBlanks(rest), !strings.Contains(value, `"`)
	}
	if value, rest, ok = cutQuoted(rest[1:]); !ok {
		return "", "", "", false
	}
	rest = trimBlanks(rest)
	if rest == "" {
		return key, value, "", true
	}
	return key, value, trimBlanks(rest[1:]), rest[0] == ';'
}

// cutQuoted splits s after a quoted string, whose first quote is not a part of s. A backslash
// escapes only special characters: browsers, and paths of Windows, have literal backslashes.
func cutQuoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			return "", "", false
		}
		b.WriteString(s[:i])
		if s[i] == '"' {
			return b.String(), s[i+1:], true
		}
		s = s[i+1:]
		if s == "" || strings.IndexByte(escapable, s[0]) < 0 {
			b.WriteByte('\\')
			continue
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
}

// escapable are the characters that make a value need quotes.
const escapable = `()<>@,;:\"/[]?=`

func trimBlanks(s string) string { return strings.TrimLeft(s, " \t") }

// decodeHeaderText decodes the bytes of a header as UTF-8 if they are valid, and otherwise as
// Latin-1, which has all bytes.
func decodeHeaderText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return decodeLatin1(s)
}

func decodeLatin1(s string) string {
	var b strings.Builder
	b.Grow(2 * len(s))
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

func isUTF8(charset string) bool {
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// isLatin1 reports whether Runner's server reads a charset as ISO-8859-1.
func isLatin1(charset string) bool {
	switch strings.ToLower(charset) {
	case "iso-8859-1", "iso8859-1", "iso88591", "iso_8859-1", "iso_8859-1:1987", "latin1", "us-ascii", "ascii",
		"windows-1252", "cp1252", "x-cp1252":
		return true
	}
	return false
}
