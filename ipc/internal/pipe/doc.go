// Package pipe asks the operating system about pipes what package os does not: what a pipe takes
// without waiting, and what nobody has read of it.
package pipe
