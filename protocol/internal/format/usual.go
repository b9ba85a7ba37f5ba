package format

import (
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// Usual has the formats that libraries of schemas define more broadly than the standard: each
// accepts everything that theirs accept. Do not change it.
var Usual = map[string]Format{
	"time":      usualTime.MatchString,
	"date-time": func(s string) bool { return usualDateTime.MatchString(s) && inCalendar(s[:len(time.DateOnly)]) },
	"email":     func(s string) bool { return usualEmail.MatchString(s) || email(s, false) },
	"hostname":  hostLabels,
	"ipv6":      func(s string) bool { address, err := netip.ParseAddr(s); return err == nil && address.Is6() },
	"uri":       url,
}

// Valibot has the formats of valibot, which ignores the lengths of months.
var Valibot = map[string]Format{"date": valibotDate.MatchString, "date-time": usualDateTime.MatchString}

func inCalendar(date string) bool {
	_, err := time.Parse(time.DateOnly, date)
	return err == nil
}

const (
	day     = `\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])`
	clock   = `(?:[01]\d|2[0-3]):[0-5]\d`
	seconds = `:[0-5]\d(?:\.\d+)?`
	zone    = `(?:[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)`
)

var (
	valibotDate = regexp.MustCompile(`^` + day + `$`)
	usualTime   = regexp.MustCompile(`^` + clock + `(?:` + seconds + `)?` + zone + `?$`)
	// usualDateTime needs neither seconds nor a zone: valibot's isoDateTime has none.
	usualDateTime = regexp.MustCompile(`^` + day + `[Tt ]` + clock + `(?:` + seconds + `)?` + zone + `?$`)
	// usualEmail is the form of HTML, and the characters that equal a k and an s without regard to
	// case.
	usualEmail = regexp.MustCompile("^[A-Za-z0-9ſK.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9ſK](?:[A-Za-z0-9ſK-]{0,61}[A-Za-z0-9ſK])?(?:\\.[A-Za-z0-9ſK](?:[A-Za-z0-9ſK-]{0,61}[A-Za-z0-9ſK])?)*$")
)

// url accepts everything that the constructor of URL accepts, and more: the constructor trims and
// repairs.
func url(s string) bool {
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.TrimFunc(s, func(c rune) bool { return c <= ' ' }))
	name, rest, found := strings.Cut(s, ":")
	if !found || !scheme.MatchString(name) {
		return false
	}
	switch strings.ToLower(name) {
	case "http", "https", "ws", "wss", "ftp":
		return strings.Trim(rest, `/\`) != ""
	}
	return true
}
