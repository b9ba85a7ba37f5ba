// Package pipe has what package os does not offer for pipes: writes that do not wait, and the number
// of unread bytes.
package pipe
