package format

import (
	"regexp"
	"strings"
)

var (
	atoms       = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")
	idnAtoms    = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\x{80}-\\x{10ffff}-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\x{80}-\\x{10ffff}-]+)*$")
	quoted      = regexp.MustCompile(`^"(?:[ !#-\[\]-~]|\\[ -~])*"$`)
	idnQuoted   = regexp.MustCompile(`^"(?:[ !#-\[\]-~\x{80}-\x{10ffff}]|\\[ -~])*"$`)
	general     = regexp.MustCompile(`^[A-Za-z0-9-]*[A-Za-z0-9]:[!-Z^-~]+$`)
	maxMailbox  = 254
	maxMailName = 64
)

// email checks a mailbox of RFC 5321, or RFC 6531.
func email(s string, international bool) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > maxMailName || len(s) > maxMailbox {
		return false
	}
	local, domain := s[:at], s[at+1:]
	named := atoms.MatchString(local) || quoted.MatchString(local)
	if international {
		named = idnAtoms.MatchString(local) || idnQuoted.MatchString(local)
	}
	if !named {
		return false
	}
	if rest, literal := strings.CutPrefix(domain, "["); literal {
		address, closed := strings.CutSuffix(rest, "]")
		if v6, ok := strings.CutPrefix(address, "IPv6:"); ok {
			return closed && ipv6(v6)
		}
		return closed && (IPv4(address) || general.MatchString(address))
	}
	if international {
		return IDNHostname(domain)
	}
	return Hostname(domain)
}
