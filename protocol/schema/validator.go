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

// maxSteps is how much work one check may be: each schema that a value is held against
// counts as the value and what it has in it, times how deep that is, since so much does
// it cost to report each of them. It is enough for four schemas of each value in the
// largest document, and takes a second or so.
const maxSteps = 4 * maxPlaces

// validator checks documents against one schema. The library cannot be told to stop, so
// each check has a lane of its own: a compiled schema that counts what it does. There
// are as many lanes as processors, made when they are needed; more checks would not be
// faster.
type validator struct {
	name    string // of the schema, for the log
	options *Options
	reading reading
	broken  error // why it could not be compiled, if the others are to be served
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
	l.patternOver = l.patternTime.over
	return l, v.compile(l)
}

func (v *validator) acquire(ctx context.Context) (*lane, error) {
	select {
	case l := <-v.free:
		return l, nil
	default:
	}
	if int(v.made.Load()) < cap(v.free) {
		// A race may make too many, and release drops those.
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

// check returns what is wrong with a document; nil: nothing. No document is null.
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
	if l.gaveUp != nil {
		v.options.logger().Warn("schema: a pattern took too long and was given up",
			"schema", v.name, "pattern", l.gaveUp.pattern, "bytes", l.gaveUp.length)
	}
	return issues
}

// lane is a compiled schema that is used by one check at a time.
type lane struct {
	schema      *jsonschema.Schema
	patterns    *patterns
	steps       int // left
	patternTime patternTime
	patternOver func() bool
	gaveUp      *givenUp
	unevaluated map[string]*jsonschema.Schema // by location, the schemas that they stand in
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
	l.steps, l.gaveUp = maxSteps, nil
	l.patternTime.reset()
	var found *jsonschema.ValidationError
	if errors.As(l.schema.Validate(value), &found) {
		return issuesOf(found, l.unevaluated)
	}
	if l.gaveUp != nil {
		// What does not match may be what is asked for.
		panic(errTooMuch)
	}
	return nil
}

var errTooMuch = errors.New("schema: too many steps")

// vocabulary adds to every schema object what the validator lacks.
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

// counter counts a step, after those that it consists of. It checks propertyNames once
// more, since the library reports them at pointers of other values.
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
