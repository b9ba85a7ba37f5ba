package ipc

import "os"

// long reports whether the tests have the time for their full lengths, by the variable
// IPC_LONG.
func long() bool { return os.Getenv("IPC_LONG") != "" }
