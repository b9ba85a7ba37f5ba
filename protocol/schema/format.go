package schema

import (
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bluelibs/go-tunnel/protocol/internal/ecma"
	"github.com/bluelibs/go-tunnel/protocol/internal/format"
	"github.com/bluelibs/go-tunnel/protocol/internal/jsregexp"
)

// These mark a format in a schema that has the meaning of libraries, or of valibot.
const (
	usualPrefix   = "usual:"
	valibotPrefix = "valibot:"
)

// formats returns the formats that the validator lacks, or has wrong.
func formats() []*jsonschema.Format {
	var all []*jsonschema.Format
	for name, check := range format.Formats {
		all = append(all, asserted(name, check))
	}
	for name, check := range format.Usual {
		all = append(all, asserted(usualPrefix+name, check))
	}
	for name, check := range format.Valibot {
		all = append(all, asserted(valibotPrefix+name, check))
	}
	for _, name := range []string{"semver", "period"} { // the validator has these, but no standard defines them
		all = append(all, asserted(name, func(string) bool { return true }))
	}
	return append(all, asserted(usualPrefix+"regex", usualRegex))
}

// usualName returns the name of a format with the meaning of libraries.
func usualName(name string, valibot bool) string {
	switch {
	case valibot && format.Valibot[name] != nil:
		return valibotPrefix + name
	case format.Usual[name] != nil || name == "regex":
		return usualPrefix + name
	}
	return name
}

// usualRegex also accepts regular expressions without flag u.
func usualRegex(pattern string) bool {
	return jsregexp.Check(pattern) == nil || len(pattern) > ecma.MaxPattern || ecma.RegExp(pattern, "")
}

var errFormat = errors.New("not in the format")

func asserted(name string, check format.Format) *jsonschema.Format {
	return &jsonschema.Format{Name: name, Validate: func(value any) error {
		if s, ok := value.(string); ok && !check(s) {
			return errFormat
		}
		return nil
	}}
}

func formatName(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, usualPrefix), valibotPrefix)
}
