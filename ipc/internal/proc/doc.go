// Package proc runs child processes: how one starts and as which user, its pipes, what it
// prints, its memory, its end, and the end of its children if this process is killed. All
// that differs by operating system is here. What goes over the pipes is not known here.
package proc
