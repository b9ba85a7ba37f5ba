//go:build !linux

package ipc

import "os"

// unread is not known here: what was written counts as read.
func unread(*os.File) int64 { return 0 }
