//go:build !linux

package pipe

import "os"

// Unread is not known here: what was written counts as read.
func Unread(*os.File) int64 { return 0 }
