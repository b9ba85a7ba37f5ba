package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol/protocoltest"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

const complianceFile = "../../protocol/protocoltest/COMPLIANCE.md"

// The table of the kit's rules is that of the kit.
func TestCompliance(t *testing.T) {
	table := compliance()
	if *update {
		require.NoError(t, os.WriteFile(complianceFile, []byte(table), 0o644))
	}
	written, err := os.ReadFile(complianceFile)
	require.NoError(t, err)
	assert.Equal(t, table, string(written), "go test ./tests/conformance -run TestCompliance -update writes it anew")
}

func compliance() string {
	var b strings.Builder
	cases := protocoltest.Cases()
	fmt.Fprintf(&b, `# Compliance

The %d rules of the Runner Tunnel HTTP Protocol v1.0 that the conformance kit, package
protocoltest, has as cases, the status that answers each of them, and which of them are sent
to which executor: Go functions (package standalone), workers on the plain wire
(ipc.PlainWire) and modules of Node.js tasks (ipc.Node). "no" stands for what an
executor does not have: files and streams on the plain wire, parallel events. What Runner
applications answer is compared with Runner 5.5.0 itself, request by request, but for
requests that it leaves without an answer, or answers to somebody whom it should refuse:
for these there are cases here only. All is done over HTTP/1.1, and over HTTP/2 where that
can carry the request.

This file is written by a test: `+"`go test ./tests/conformance -run TestCompliance -update`"+`.
`, len(cases))
	topic := ""
	for _, c := range cases {
		if c.Topic != topic {
			topic = c.Topic
			fmt.Fprintf(&b, "\n## %s%s\n\n| case | rule | status |", strings.ToUpper(topic[:1]), topic[1:])
			for _, executor := range conforming {
				fmt.Fprintf(&b, " %s |", map[string]string{"standalone": "Go", "ipc": "plain", "module": "module"}[executor])
			}
			fmt.Fprintf(&b, " HTTP/2 |\n|%s\n", strings.Repeat(" --- |", len(conforming)+4))
		}
		fmt.Fprintf(&b, "| %s | %s | %d |", cell(c.Name), cell(c.Rule), c.Want.Status)
		for _, executor := range conforming {
			fmt.Fprintf(&b, " %s |", mark(runs(c, executor)))
		}
		fmt.Fprintf(&b, " %s |\n", mark(!c.HTTP1Only))
	}
	return b.String()
}

// runs reports whether TestConformance sends a case to an executor.
func runs(c protocoltest.Case, executor string) bool {
	return (!c.ParallelEvents || knowsParallel[executor]) && (!c.Bytes || takesBytes[executor])
}

func mark(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// cell makes a text one of a table: no bars, and no tags.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "_", `\_`, "*", `\*`).Replace(text)
}
