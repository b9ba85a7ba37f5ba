package jsregexp

import (
	"slices"
	"unicode"
)

// set is a set of code points: spans in order, with gaps between them.
type set []span

// span is a run of code points, the last included.
type span struct{ lo, hi rune }

var (
	anything = set{{0, unicode.MaxRune}}
	digits   = set{{'0', '9'}}
	words    = set{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	// blanks are the characters of \s: white space and ends of lines.
	blanks = set{
		{'\t', '\r'}, {' ', ' '}, {0xa0, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029},
		{0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff},
	}
	lineEnds = set{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}
)

func single(c rune) set { return set{{c, c}} }

// union returns the code points that are in any of the sets.
func union(sets ...set) set {
	all := slices.Concat(sets...)
	slices.SortFunc(all, func(a, b span) int { return int(a.lo - b.lo) })
	var merged set
	for _, s := range all {
		if last := len(merged) - 1; last >= 0 && s.lo <= merged[last].hi+1 {
			merged[last].hi = max(merged[last].hi, s.hi)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// not returns the code points that are not in the set.
func (s set) not() set {
	rest := set{}
	next := rune(0)
	for _, one := range s {
		if one.lo > next {
			rest = append(rest, span{next, one.lo - 1})
		}
		next = one.hi + 1
	}
	if next <= unicode.MaxRune {
		rest = append(rest, span{next, unicode.MaxRune})
	}
	return rest
}

func (s set) has(c rune) bool {
	_, found := slices.BinarySearchFunc(s, c, func(one span, c rune) int {
		switch {
		case one.hi < c:
			return -1
		case one.lo > c:
			return 1
		}
		return 0
	})
	return found
}

func isWord(c rune) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || c == '_' || 'a' <= c && c <= 'z'
}
