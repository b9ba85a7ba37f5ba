package tunnel_test

import "slices"

// difference6 says where an application of Runner 6 as our worker does not answer as its
// own exposure does, and why. The test fails if one that is not here occurs, and if one
// that is here does not.
type difference6 struct {
	reason string
	what   []string
	cases  []string
}

func (d difference6) has(name string) bool { return slices.Contains(d.cases, name) }

var differences6 = []difference6{}
