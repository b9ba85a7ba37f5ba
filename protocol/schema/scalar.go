package schema

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// halfPair is the reason to refuse a string that no Go string can have: JavaScript keeps half of a
// pair, and other executors replace it.
const halfPair = "has half of a surrogate pair"

// protoName is a member that, when assigned, becomes the prototype of an object.
const protoName = "__proto__"

// str returns a string. It is not ok if the string has half of a surrogate pair.
func (d *decoder) str() (string, bool) {
	start := d.at
	plain := true
	for d.at++; d.data[d.at] != '"'; d.at++ {
		if d.data[d.at] == '\\' {
			plain = false
			d.at++
		}
	}
	d.at++
	quoted := d.data[start:d.at]
	if plain {
		return string(quoted[1 : len(quoted)-1]), true
	}
	var text string // a result would be on the heap, also for plain strings
	if json.Unmarshal(quoted, &text) != nil {
		return "", false
	}
	return text, !strings.ContainsRune(text, utf8.RuneError) || wholePairs(quoted)
}

// wholePairs reports whether each escape of a surrogate is part of a pair. Quoted is valid.
func wholePairs(quoted []byte) bool {
	for i := 0; i < len(quoted); i++ {
		if quoted[i] != '\\' {
			continue
		}
		i++
		if quoted[i] != 'u' {
			continue
		}
		unit := escapedUnit(quoted[i:])
		i += 4
		if !utf16.IsSurrogate(unit) {
			continue
		}
		if quoted[i+1] != '\\' || quoted[i+2] != 'u' || utf16.DecodeRune(unit, escapedUnit(quoted[i+2:])) == utf8.RuneError {
			return false
		}
		i += 6
	}
	return true
}

// escapedUnit returns the code unit of uXXXX.
func escapedUnit(text []byte) rune {
	unit, _ := strconv.ParseUint(string(text[1:5]), 16, 16)
	return rune(unit)
}

// number returns a number as the executor will read it. A float64 has up to 15 digits, so that
// such numbers are not rounded.
func (d *decoder) number() (any, error) {
	start := d.at
	for d.at < len(d.data) && strings.IndexByte("+-.0123456789Ee", d.data[d.at]) >= 0 {
		d.at++
	}
	number := string(d.data[start:d.at])
	if len(number) <= 15 && !strings.ContainsAny(number, "eE") {
		return json.Number(number), nil
	}
	if d.exact {
		return d.exactNumber(number)
	}
	rounded, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return nil, d.refuse("is a number out of range")
	}
	return json.Number(strconv.FormatFloat(rounded, 'g', -1, 64)), nil
}

func (d *decoder) exactNumber(number string) (any, error) {
	if len(number) > maxNumber {
		return nil, d.refuse("is a number of too many digits")
	}
	if e := strings.IndexAny(number, "eE"); e >= 0 {
		if exponent, err := strconv.Atoi(number[e+1:]); err != nil || exponent > maxExponent || exponent < -maxExponent {
			return nil, d.refuse("is a number out of range")
		}
	}
	d.changed = true
	return json.Number(number), nil
}
