package protocoltest

// The kit has its own assertions, so that its users need no other module.

// reporter is the part of testing.TB that reports failures.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// expect reports a failure if ok is false, and returns ok.
func expect(t reporter, ok bool, format string, args ...any) bool {
	t.Helper()
	if !ok {
		t.Errorf(format, args...)
	}
	return ok
}

func noError(t reporter, err error, what string) bool {
	t.Helper()
	return expect(t, err == nil, "%s: %v", what, err)
}

func equal[T comparable](t reporter, want, got T, what string) bool {
	t.Helper()
	return expect(t, want == got, "%s:\nwant %#v\ngot  %#v", what, want, got)
}
