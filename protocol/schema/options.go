package schema

import (
	"log/slog"
	"time"
)

// Options say how schemas are read. The zero value is for tasks in JavaScript.
type Options struct {
	// Formats has the meaning of formats by name, and Format that of all others.
	Formats map[string]Format
	Format  Format
	// ExactNumbers is for tasks that read numbers exactly: Go tasks with integers of 64 bits,
	// json.Number or big.Int. A number must then fit both unchanged and as the nearest float64.
	// Without ExactNumbers numbers are rounded to a float64 before the check, as JavaScript reads
	// them, and numbers beyond its range are refused. For the schemas of Go types, which bound
	// integers only, they are never rounded.
	ExactNumbers bool
	// ServeOthers serves the tasks and events whose schemas compile even if others do not. Calls
	// of the others fail with an internal error; these errors and the schemas are logged. False
	// means that Compile fails if a schema does not compile.
	ServeOthers bool
	// PatternTime bounds the search for a pattern in a string. A search that takes longer counts
	// as no match and is logged; if a document is valid only because of that, it is refused. All
	// patterns of one check have twice the time. Zero or less means a second.
	PatternTime time.Duration
	// Logger gets errors. Nil means slog.Default().
	Logger *slog.Logger
}

// Format is the meaning of the keyword format.
type Format int

const (
	// FormatUsual is the meaning that libraries of schemas give a format: it refuses no string
	// that the library accepts. Beside a pattern a format has no effect.
	FormatUsual Format = iota
	// FormatAssert is the meaning in the standard of the format.
	FormatAssert
	// FormatAnnotate means that formats have no effect.
	FormatAnnotate
)

func (o *Options) format(name string) Format {
	if one, ok := o.Formats[name]; ok {
		return one
	}
	return o.Format
}

func (o *Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.Default()
	}
	return o.Logger
}

const (
	usualPatternTime = time.Second
	// patternShare is the time of all patterns of a check divided by that of one.
	patternShare = 2
)

func (o *Options) patternTime() time.Duration {
	if o.PatternTime <= 0 {
		return usualPatternTime
	}
	return o.PatternTime
}
