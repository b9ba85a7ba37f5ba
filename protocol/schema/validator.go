package schema

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// maxSteps bounds the work of one check. Each schema that is applied to a value counts as the
// value with all values inside, times their depth, since reporting each of them costs that much.
// The bound allows four schemas for each value of the largest document, and takes a second or so.
const maxSteps = 4 * maxPlaces

// validator checks documents against one schema. The library cannot be stopped, so each check has
// a lane of its own: a compiled schema that counts its steps. There are as many lanes as
// processors, made on demand; more checks at a time would not be faster.
type validator struct {
	name    string // the name of the schema, for the log
	options *Options
	reading reading
	broken  error // why it did not compile, with Options.ServeOthers
	compile func(*lane) error
	made    atomic.Int32
	free    chan *lane
}

func newValidator(name string, options *Options, compile func(*lane) error) *validator {
	return &validator{name: name, options: options, compile: compile, free: make(chan *lane, runtime.GOMAXPROCS(0))}
}

func (v *validator) newLane() (*lane, error) {
	v.made.Add(1)
	l := &lane{patternTime: patternTime{bound: v.options.patternTime(), now: time.Now}}
	l.patternOver = l.patternTime.expired
	return l, v.compile(l)
}

func (v *validator) acquire(ctx context.Context) (*lane, error) {
	select {
	case l := <-v.free:
		return l, nil
	default:
	}
	if int(v.made.Load()) < cap(v.free) {
		// A race may make too many lanes, and release drops those.
		return v.newLane()
	}
	select {
	case l := <-v.free:
		return l, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (v *validator) release(l *lane) {
	select {
	case v.free <- l:
	default:
	}
}

// check returns the issues of a document, nil if there are none. A missing document is null.
func (v *validator) check(ctx context.Context, document []byte) ([]Issue, error) {
	if v.broken != nil {
		return nil, fmt.Errorf("it cannot be checked: %w", v.broken)
	}
	var read decoded
	if document != nil {
		var err error
		var issue Issue
		if read, err = decode(document, v.reading); errors.As(err, &issue) {
			return []Issue{issue}, nil
		}
	}
	l, err := v.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer v.release(l)
	issues := v.checkOn(l, read.value)
	if issues == nil && read.both {
		issues = v.checkOn(l, read.rounded)
	}
	if issues != nil && document == nil {
		issues = []Issue{{Reason: "is missing"}}
	}
	return issues, nil
}

func (v *validator) checkOn(l *lane, value any) []Issue {
	issues := l.check(value)
	if l.timedOut != nil {
		v.options.logger().Warn("schema: a pattern took too long and was given up",
			"schema", v.name, "pattern", l.timedOut.pattern, "bytes", l.timedOut.length)
	}
	return issues
}

// lane is a compiled schema that is used by one check at a time.
type lane struct {
	schema      *jsonschema.Schema
	patterns    *patterns
	steps       int // the steps that are left
	patternTime patternTime
	patternOver func() bool
	timedOut    *timeoutError
	unevaluated map[string]*jsonschema.Schema // by location, the schemas around them
}

func (l *lane) check(value any) (issues []Issue) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case errTooMuch:
			issues = []Issue{{Reason: "takes too long to be checked"}}
		default:
			panic(v)
		}
	}()
	l.steps, l.timedOut = maxSteps, nil
	l.patternTime.reset()
	var found *jsonschema.ValidationError
	if errors.As(l.schema.Validate(value), &found) {
		return issuesOf(found, l.unevaluated)
	}
	if l.timedOut != nil {
		// The schema may require that a pattern does not match.
		panic(errTooMuch)
	}
	return nil
}

var errTooMuch = errors.New("schema: too many steps")

// vocabulary adds to every schema object the checks that the validator lacks.
func (l *lane) vocabulary() *jsonschema.Vocabulary {
	return &jsonschema.Vocabulary{
		URL: "schema:///vocabulary",
		Compile: func(ctx *jsonschema.CompilerContext, schema map[string]any) (jsonschema.SchemaExt, error) {
			c := &counter{lane: l}
			if _, ok := schema["propertyNames"]; ok {
				c.names = ctx.Enqueue([]string{"propertyNames"})
			}
			return c, nil
		},
	}
}

// counter counts a step after its parts. It checks propertyNames again, since the library reports
// wrong pointers for it.
type counter struct {
	*lane
	names *jsonschema.Schema
}

// Validate implements jsonschema.SchemaExt.
func (c *counter) Validate(ctx *jsonschema.ValidatorContext, value any) {
	array, _ := value.([]any)
	object, _ := value.(map[string]any)
	c.steps -= (1 + len(array) + len(object)) * (1 + len(ctx.ValueLocation()))
	if c.steps < 0 {
		panic(errTooMuch)
	}
	if c.names == nil {
		return
	}
	for name := range object {
		if c.names.Validate(name) != nil {
			ctx.AddError(&kind.PropertyNames{Property: name})
		}
	}
}
