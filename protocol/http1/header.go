package http1

import (
	"net/http"
	"net/textproto"
	"strings"
	"sync/atomic"
	"time"
)

// field is a field of an answer's header.
type field struct {
	name   string
	values []string
}

// has says which fields a header has.
type has struct{ length, date, contentType, encoding, closing bool }

// sortFields takes the fields of the header in the order in which net/http writes them.
func (x *exchange) sortFields() {
	for name, values := range x.header {
		switch name {
		case "Content-Length":
			x.has.length = true
		case "Date":
			x.has.date = true
		case "Content-Type":
			x.has.contentType = true
		case "Content-Encoding":
			x.has.encoding = first(values) != ""
		case "Connection":
			x.has.closing = first(values) == closing[0]
		}
		x.fields = append(x.fields, field{})
		at := len(x.fields) - 1
		for ; at > 0 && name < x.fields[at-1].name; at-- {
			x.fields[at] = x.fields[at-1]
		}
		x.fields[at] = field{name, values}
	}
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// sends reports whether a field of the header is sent. The others are of the connection, which
// has its own, or the status does not allow them.
func (x *exchange) sends(name string) bool {
	switch name {
	case "Transfer-Encoding", "Trailer":
		return false
	case "Connection":
		return x.has.closing
	case "Content-Length":
		return !x.chunked && allowsBody(x.status)
	case "Content-Type":
		return x.status != http.StatusNotModified
	}
	return isToken(name)
}

// appendTo appends a line for each value.
func (f field) appendTo(out []byte) []byte {
	for _, value := range f.values {
		out = append(append(append(append(out, f.name...), ": "...), oneLine(value)...), newline...)
	}
	return out
}

var newlines = strings.NewReplacer("\n", " ", "\r", " ")

// oneLine returns a value without line breaks, and without blanks around it.
func oneLine(value string) string {
	if strings.IndexByte(value, '\n') >= 0 || strings.IndexByte(value, '\r') >= 0 {
		value = newlines.Replace(value)
	}
	return textproto.TrimString(value)
}

// clock has the current date as it stands in answers.
type clock struct{ last atomic.Pointer[date] }

type date struct {
	second int64
	text   string
}

func (c *clock) date() string {
	now := time.Now()
	last := c.last.Load()
	if last == nil || last.second != now.Unix() {
		last = &date{now.Unix(), now.UTC().Format(http.TimeFormat)}
		c.last.Store(last)
	}
	return last.text
}
