package schema

import (
	"log/slog"
	"time"
)

// Options say how schemas are read. The zero value is for tasks in JavaScript.
type Options struct {
	// Formats says what a format asks of a string, by its name, and Format what those ask
	// that are not in it.
	Formats map[string]Format
	Format  Format
	// ExactNumbers is for tasks that read numbers exactly: those in Go with integers of 64
	// bits, json.Number or big.Int. A number must then fit as it is written, and as the
	// float64 that is nearest to it. Otherwise numbers are rounded to a float64 before they
	// are checked, as JavaScript reads them, and those beyond its range are refused. For
	// the schemas of Go types, which bound integers only, they are always as written.
	ExactNumbers bool
	// ServeOthers serves the tasks and events whose schemas compile even if others do not.
	// Calls of those fail with an internal error, which is logged, as is each schema. False
	// means that one schema that does not compile is an error of all.
	ServeOthers bool
	// PatternTime is how long it may take to find a pattern in a string. One that takes
	// longer does not match, and that is logged; a document that has come through only
	// because of that is refused. All patterns of one check have twice as long. Zero or
	// less means a second.
	PatternTime time.Duration
	// Logger gets what goes wrong. Nil means slog.Default().
	Logger *slog.Logger
}

// Format says what the keyword format asks of a string.
type Format int

const (
	// FormatUsual asks for what libraries of schemas mean by the format: no string is
	// refused that the emitting library takes itself. Beside a pattern a format asks for
	// nothing.
	FormatUsual Format = iota
	// FormatAssert asks for what the standard of the format says.
	FormatAssert
	// FormatAnnotate asks for nothing.
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
	// patternShare is how much longer all patterns of a check may take than one.
	patternShare = 2
)

func (o *Options) patternTime() time.Duration {
	if o.PatternTime <= 0 {
		return usualPatternTime
	}
	return o.PatternTime
}
