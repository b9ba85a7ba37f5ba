package ecma

import "strings"

// internationalized reports whether all labels of a domain in Punycode have only characters that
// URLs do not change. Without the tables of IDNA this is certain only for common alphabets.
func internationalized(domain string) bool {
	for label := range strings.SplitSeq(strings.ToLower(domain), ".") {
		encoded, found := strings.CutPrefix(label, "xn--")
		if !found {
			continue
		}
		runes, ok := decodePunycode(encoded)
		ascii := true
		for _, r := range runes {
			ascii = ascii && r < 0x80
			ok = ok && (r < 0x80 || isLabelLetter(r))
		}
		if !ok || ascii {
			return false
		}
	}
	return true
}

// isLabelLetter reports whether r is a lower-case letter, or a letter of a script without cases
// that is written from left to right and has no other form.
func isLabelLetter(r rune) bool {
	switch {
	case 0xdf <= r && r <= 0x17e:
		return r != 0xf7 && r != 0x133 && r != 0x140 && r != 0x149 && (r < 0x100 || isLowerExtended(r))
	case 0x3ac <= r && r <= 0x3ce, 0x430 <= r && r <= 0x45f:
		return true
	case 0x3041 <= r && r <= 0x3096, 0x30a1 <= r && r <= 0x30fa:
		return true
	}
	return 0x4e00 <= r && r <= 0x9fff || 0xac00 <= r && r <= 0xd7a3
}

// isLowerExtended reports whether r is a lower-case letter of Latin Extended-A, where the cases
// alternate.
func isLowerExtended(r rune) bool {
	if 0x139 <= r && r <= 0x148 || 0x179 <= r {
		return r%2 == 0
	}
	return r%2 == 1 || r == 0x138
}

// decodePunycode follows RFC 3492.
func decodePunycode(text string) ([]rune, bool) {
	const base, tMin, tMax, skew, damp = 36, 1, 26, 38, 700
	const maxLabel = 63
	if len(text) > maxLabel {
		return nil, false
	}
	var out []rune
	if i := strings.LastIndexByte(text, '-'); i >= 0 {
		out, text = []rune(text[:i]), text[i+1:]
	}
	var n, pos, bias int64 = 0x80, 0, 72 // products overflow an int of 32 bits
	for text != "" {
		start, weight := pos, int64(1)
		for k := int64(base); ; k += base {
			if text == "" {
				return nil, false
			}
			digit := int64(strings.IndexByte("abcdefghijklmnopqrstuvwxyz0123456789", text[0]))
			text = text[1:]
			if pos += digit * weight; digit < 0 || pos > 1<<31 {
				return nil, false
			}
			threshold := min(max(k-bias, tMin), tMax)
			if digit < threshold {
				break
			}
			if weight *= base - threshold; weight > 1<<31 {
				return nil, false
			}
		}
		delta := pos - start
		if start == 0 {
			delta /= damp
		} else {
			delta /= 2
		}
		length := int64(len(out) + 1)
		delta += delta / length
		bias = 0
		for ; delta > (base-tMin)*tMax/2; bias += base {
			delta /= base - tMin
		}
		bias += (base - tMin + 1) * delta / (delta + skew)
		n += pos / length
		pos %= length
		if n > 0x10ffff {
			return nil, false
		}
		out = append(out[:pos], append([]rune{rune(n)}, out[pos:]...)...)
		pos++
	}
	return out, true
}
