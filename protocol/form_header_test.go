package protocol

import (
	"mime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestParseDisposition(t *testing.T) {
	for header, want := range map[string]disposition{
		`form-data; name="a"`:                           {"a", ""},
		`FORM-DATA ;NAME=a;FileName=b.txt`:              {"a", "b.txt"},
		"form-data;\tname = \"a\" ;; filename=\"b\" ; ": {"a", "b"},
		`form-data`:                                       {"", ""},
		`form-data; x="a;b=c"; name=a`:                    {"a", ""},
		`form-data; name="a \"b\" \\ (c)"`:                {`a "b" \ (c)`, ""},
		`form-data; name=a; filename="C:\dir\b.txt"`:      {"a", `C:\dir\b.txt`},
		`form-data; name=a; filename="b\é"`:               {"a", `b\é`},
		`form-data; name=a; filename=""`:                  {"a", ""},
		`form-data; name=a; filename=`:                    {"a", ""},
		`form-data; name=a; filename=my file (1).txt`:     {"a", "my file (1).txt"},
		`form-data; name=a; filename=é.txt; x=y`:          {"a", "é.txt"},
		"form-data; name=\"\xef\"; filename=\"\xff.txt\"": {"ï", "ÿ.txt"},
		"form-data; name=a; filename=\"\xc3\xa9\xe9\"":    {"a", "Ã©é"},
		"form-data; name=a; filename=\xe9.txt":            {"a", "é.txt"},

		// twice
		`form-data; name=a; name=b; filename=c; filename=d`:                              {"a", "c"},
		`form-data; name=a; filename=""; filename=d`:                                     {"a", ""},
		`form-data; name=a; filename*=utf-8''%C3%A9; filename*=utf-8''b`:                 {"a", "é"},
		`form-data; name=a; filename=b; filename*=utf-8''%C3%A9; filename=c`:             {"a", "é"},
		`form-data; name=a; filename*=utf-8''%C3%A9; filename=b`:                         {"a", "é"},
		`form-data; name=a; filename*=koi8-r''%C1; filename*=utf-8''b`:                   {"a", "b"},
		`form-data; name=a; name*=utf-8''b`:                                              {"b", ""},
		`form-data; name=a; filename*=UTF-8'de'%e2%82%ac (1).txt`:                        {"a", "€ (1).txt"},
		`form-data; name=a; filename*="utf-8''%C3%A9"`:                                   {"a", "é"},
		`form-data; name=a; filename*=utf-8''a+b%20c`:                                    {"a", "a+b c"},
		`form-data; name=a; filename*=utf-8''%FF`:                                        {"a", "\uFFFD"},
		`form-data; name=a; filename*=ISO-8859-1'en'%A3`:                                 {"a", "£"},
		`form-data; name=a; filename*=latin1''%C3%A9`:                                    {"a", "Ã©"},
		`form-data; name=a; filename*=windows-1252''%E9`:                                 {"a", "é"},
		`form-data; name=a; filename*=koi8-r''%C1.txt`:                                   {"a", "Á.txt"},
		`form-data; name=a; filename*=koi8-r''%C3%A9`:                                    {"a", "é"},
		`form-data; name=a; filename*=koi8-r''%C1; filename="b"`:                         {"a", "b"},
		`form-data; name=a; filename="b"; filename*=koi8-r''%C1`:                         {"a", "b"},
		`form-data; name=a; filename*=''b.txt`:                                           {"a", "b.txt"},
		`form-data; name=a; filename*=utf-8''100%.txt`:                                   {"a", "100%.txt"},
		`form-data; name=a; filename*=utf-8''%zz; filename=b`:                            {"a", "b"},
		`form-data; name=a; filename*=utf-8''; filename=b`:                               {"a", "b"},
		`form-data; name=a; filename*=b.txt`:                                             {"a", "b.txt"},
		`form-data; name=a; filename*0="b"; filename*1=".txt"`:                           {"a", "b.txt"},
		`form-data; name=a; filename*0*=utf-8''%C3%A9; filename*1=".txt"`:                {"a", "é.txt"},
		`form-data; name=a; filename*0="b"; filename="c"; filename="d"`:                  {"a", "c"},
		`form-data; name=__manifest; filename="blob"`:                                    {"__manifest", "blob"},
		`form-data; name="file:a"; filename="x"; filename*=UTF-8''UTF-8%27%27na%25C3`:    {"file:a", "UTF-8''na%C3"},
		`form-data; name="file:a"; filename="=?utf-8?B?w6k=?="; filename*=utf-8''%C3%A9`: {"file:a", "é"},
	} {
		got, err := parseDisposition(header)
		assert.NoError(t, err, "%q", header)
		assert.Equal(t, want, got, "%q", header)
	}
	for header, want := range map[string]error{
		``:                                       errNoDisposition,
		`; name="a"`:                             errNoDisposition,
		`attachment; name="a"`:                   errNoDisposition,
		`form-datax; name="a"`:                   errNoDisposition,
		`form-data name="a"`:                     errNoDisposition,
		`form-data; name="a`:                     errBrokenDisposition,
		`form-data; name="a\"`:                   errBrokenDisposition,
		`form-data; name="a"b"`:                  errBrokenDisposition,
		`form-data; name="a" filename="b"`:       errBrokenDisposition,
		`form-data; name=a"b"`:                   errBrokenDisposition,
		`form-data; name`:                        errBrokenDisposition,
		`form-data; ="a"`:                        errBrokenDisposition,
		`form-data; x; name="a"`:                 errBrokenDisposition,
		`form-data; "name"="a"`:                  errBrokenDisposition,
		`form-data; file name="a"`:               errBrokenDisposition,
		`form-data; name="a"; filename="b"; x`:   errBrokenDisposition,
		`form-data; name="a"; filename="b" x="`:  errBrokenDisposition,
		`form-data; name="a"; filename*="utf-8'`: errBrokenDisposition,
	} {
		_, err := parseDisposition(header)
		assert.Equal(t, want, err, "%q", header)
	}
}

// What package mime can read of a header means the same here.
func FuzzDisposition(f *testing.F) {
	for _, header := range []string{
		`form-data; name="a"; filename="b \"c\".txt"`, "form-data; name=\xef; filename=\"\xc3\xa9\"", `form-data; name=a; filename*=utf-8'en'%C3%A9`,
		`form-data; name=a; filename*=latin1''%E9; filename=b`, `form-data; name*0=a; name*1*=%C3`, `form-data; name="a\b"; name=c`,
		"form-data" + strings.Repeat(";", 1000), "form-data" + strings.Repeat("; a=b", 1000), `form-data; name="` + strings.Repeat(`\"`, 1000) + `"`,
		"form-data; name*=" + strings.Repeat("'", 1000), "form-data; name*=x''" + strings.Repeat("%41", 1000), "form-data; " + strings.Repeat("a ", 1000) + "=",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		d, err := parseDisposition(header)
		if err != nil {
			if d != (disposition{}) {
				t.Fatalf("%v and %v", d, err)
			}
			return
		}
		if len(d.name)+len(d.filename) > 3*len(header) {
			t.Fatalf("%d bytes of %d", len(d.name)+len(d.filename), len(header))
		}
		if !utf8.ValidString(header) || strings.Contains(header, "*") || strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r > '~' }) {
			return
		}
		kind, params, err := mime.ParseMediaType(header)
		if err != nil || kind != "form-data" {
			return
		}
		if want := (disposition{params["name"], params["filename"]}); d != want {
			t.Fatalf("%q is %v, not %v", header, d, want)
		}
	})
}
