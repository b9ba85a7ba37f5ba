// Package ecma reads texts as JavaScript does: dates, white space, the syntax of regular
// expressions, and URLs. If engines differ from the standard, it refuses the text: engines accept
// everything that it accepts.
package ecma

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// maxMillis is the largest distance of a Date from 1970.
const maxMillis = 8_640_000_000_000_000

// DateFromMillis returns the time of a number of milliseconds since 1970. It is false for a number
// that a Date cannot have.
func DateFromMillis(ms float64) (time.Time, bool) {
	if !(math.Abs(ms) <= maxMillis) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)).UTC(), true
}

// ParseDate returns the time of a text in the standard's format: a date of year, month and day,
// the last of which may be missing, and a time of hours and minutes, seconds and their fractions.
// Without an offset a date is in UTC, and a date with a time is in this process's zone. Fractions
// of a millisecond are dropped.
func ParseDate(text string) (time.Time, bool) {
	p := dateParser{rest: text, ok: true}
	sign := 1
	year := 0
	if p.skip("+") {
		year = p.number(6, 0, 999999)
	} else if p.skip("-") {
		sign, year = -1, p.number(6, 1, 999999)
	} else {
		year = p.number(4, 0, 9999)
	}
	month, day, full := 1, 1, false
	if p.skip("-") {
		month = p.number(2, 1, 12)
		if full = p.skip("-"); full {
			day = p.number(2, 1, 31)
		}
	}
	var hour, minute, second, milli int
	zone := time.UTC
	if full && p.skip("T") {
		hour = p.number(2, 0, 23)
		p.ok = p.ok && p.skip(":")
		minute = p.number(2, 0, 59)
		if p.skip(":") {
			second = p.number(2, 0, 59)
			if p.skip(".") {
				milli = p.fraction()
			}
		}
		zone = p.zone()
	}
	if !p.ok || p.rest != "" {
		return time.Time{}, false
	}
	t := time.Date(sign*year, time.Month(month), day, hour, minute, second, milli*int(time.Millisecond), zone)
	if zone != time.Local && t.Day() != day { // 31 April
		return time.Time{}, false
	}
	return DateFromMillis(float64(t.UnixMilli()))
}

// FormatDate returns a time as Date's toISOString does. It is false for a time that a Date cannot
// have.
func FormatDate(t time.Time) (string, bool) {
	t, ok := DateFromMillis(Millis(t))
	if !ok {
		return "", false
	}
	rest := t.Format("-01-02T15:04:05.000Z")
	year := strconv.Itoa(t.Year())
	switch {
	case t.Year() < 0:
		return "-" + pad(year[1:], 6) + rest, true
	case t.Year() > 9999:
		return "+" + pad(year, 6) + rest, true
	}
	return pad(year, 4) + rest, true
}

// Millis returns the milliseconds between 1970 and t, rounded towards the past. They are infinite
// if they cannot be counted.
func Millis(t time.Time) float64 {
	if seconds := t.Unix(); seconds > maxMillis/1000 || seconds < -maxMillis/1000 {
		return math.Inf(int(seconds))
	}
	return float64(t.UnixMilli())
}

func pad(digits string, width int) string {
	return strings.Repeat("0", max(0, width-len(digits))) + digits
}

type dateParser struct {
	rest string
	ok   bool
}

func (p *dateParser) skip(prefix string) bool {
	rest, found := strings.CutPrefix(p.rest, prefix)
	p.rest = rest
	return found
}

// number reads a number of so many digits, which must be within bounds.
func (p *dateParser) number(digits, low, high int) int {
	n := 0
	for range digits {
		if p.rest == "" || p.rest[0] < '0' || p.rest[0] > '9' {
			p.ok = false
			return low
		}
		n = n*10 + int(p.rest[0]-'0')
		p.rest = p.rest[1:]
	}
	if n < low || n > high {
		p.ok = false
		return low
	}
	return n
}

// fraction reads at least one digit and returns the milliseconds.
func (p *dateParser) fraction() int {
	ms, unit := p.number(1, 0, 9)*100, 10
	for p.ok && p.rest != "" && '0' <= p.rest[0] && p.rest[0] <= '9' {
		ms, unit = ms+int(p.rest[0]-'0')*unit, unit/10
		p.rest = p.rest[1:]
	}
	return ms
}

func (p *dateParser) zone() *time.Location {
	sign := 1
	switch {
	case p.skip("Z"):
		return time.UTC
	case p.skip("+"):
	case p.skip("-"):
		sign = -1
	default:
		return time.Local
	}
	hours := p.number(2, 0, 23)
	p.ok = p.ok && p.skip(":")
	return time.FixedZone("", sign*(hours*60+p.number(2, 0, 59))*60)
}

// TrimSpace removes the same white space as JavaScript's trim, which differs from Go's.
func TrimSpace(text string) string {
	return strings.TrimFunc(text, func(r rune) bool {
		switch r {
		case '\t', '\n', '\v', '\f', '\r', ' ', '\u00a0', '\u1680', '\u2028', '\u2029', '\u202f', '\u205f', '\u3000', '\ufeff':
			return true
		}
		return '\u2000' <= r && r <= '\u200a'
	})
}
