package format

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

var label = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

const maxHostname = 253

// Hostname reports whether a string is a name of RFC 1123 whose labels in Punycode follow RFC
// 5890.
func Hostname(s string) bool {
	if len(s) > maxHostname {
		return false
	}
	for one := range strings.SplitSeq(s, ".") {
		if !label.MatchString(one) || !asciiLabel(one) {
			return false
		}
	}
	return true
}

// hostLabels is Hostname for names in use: a label may look like Punycode without being valid.
func hostLabels(s string) bool {
	if len(s) > maxHostname {
		return false
	}
	for one := range strings.SplitSeq(s, ".") {
		if !label.MatchString(one) {
			return false
		}
	}
	return true
}

// asciiLabel reports whether a label has ASCII letters, or is valid Punycode.
func asciiLabel(s string) bool {
	if len(s) < 4 || s[2:4] != "--" {
		return true
	}
	if !strings.EqualFold(s[:2], "xn") {
		return false
	}
	decoded, err := labels.ToUnicode(strings.ToLower(s))
	if err != nil || decoded == strings.ToLower(s) || !unicodeLabel(decoded) {
		return false
	}
	again, err := labels.ToASCII(decoded)
	return err == nil && again == strings.ToLower(s)
}

// labels does not map characters: a label that needs it is invalid.
var labels = idna.New(idna.ValidateLabels(true), idna.CheckHyphens(true), idna.CheckJoiners(true), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

var dots = strings.NewReplacer("。", ".", "．", ".", "｡", ".")

// IDNHostname reports whether a string is a name of RFC 5890, in Unicode or Punycode.
func IDNHostname(s string) bool {
	s = dots.Replace(s)
	for one := range strings.SplitSeq(s, ".") {
		switch {
		case one == "":
			return false
		case isASCII(one):
			if !label.MatchString(one) || !asciiLabel(one) {
				return false
			}
		case !unicodeLabel(one):
			return false
		}
	}
	whole, err := labels.ToASCII(strings.ToLower(s))
	return err == nil && len(whole) <= maxHostname
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// unicodeLabel checks more than package idna: the contextual rules of RFC 5892, and characters
// that RFC 5892 disallows but that idna maps to themselves.
func unicodeLabel(s string) bool {
	if _, err := labels.ToASCII(s); err != nil || strings.ToLower(s) != s {
		return false
	}
	text := []rune(s)
	arabic, extended := false, false
	for i, c := range text {
		before, after := at(text, i-1), at(text, i+1)
		switch {
		case c == 0xb7 && (before != 'l' || after != 'l'),
			c == 0x375 && !unicode.Is(unicode.Greek, after),
			(c == 0x5f3 || c == 0x5f4) && !unicode.Is(unicode.Hebrew, before),
			c == 0x30fb && !strings.ContainsFunc(s, isKana),
			disallowed(c):
			return false
		}
		arabic = arabic || 0x660 <= c && c <= 0x669
		extended = extended || 0x6f0 <= c && c <= 0x6f9
	}
	return !arabic || !extended
}

func at(text []rune, i int) rune {
	if i < 0 || i >= len(text) {
		return 0
	}
	return text[i]
}

func isKana(c rune) bool {
	return c != 0x30fb && unicode.In(c, unicode.Hiragana, unicode.Katakana, unicode.Han)
}

// disallowed reports whether RFC 5892 disallows a character: it is neither a letter, a mark nor a
// digit, except for the exceptions, or it is listed.
func disallowed(c rune) bool {
	switch c {
	case '-', 0xb7, 0x375, 0x5f3, 0x5f4, 0x30fb, 0x200c, 0x200d, 0x6fd, 0x6fe, 0xf0b, 0x3007:
		return false
	case 0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b:
		return true
	}
	return !unicode.In(c, unicode.Ll, unicode.Lo, unicode.Lm, unicode.Mn, unicode.Mc, unicode.Nd)
}
