package protocol

import (
	"io"
	"os"
)

// spoolMemory is the largest part of a file that is kept in memory.
const spoolMemory = 64 << 10

// spool holds bytes, of the files that Form.spoolRest passes over, until they are read: in memory at first, then all of them in a
// temporary file, which is removed while it is open if the system allows that.
// The zero value is empty.
type spool struct {
	memory []byte
	file   *os.File
	path   string // set if the file could not be removed while open
	read   int64
	size   int64
}

// Write appends.
func (s *spool) Write(b []byte) (int, error) {
	if s.file == nil && s.size+int64(len(b)) <= spoolMemory {
		s.memory = append(s.memory, b...)
		s.size += int64(len(b))
		return len(b), nil
	}
	if s.file == nil {
		if err := s.toFile(); err != nil {
			return 0, err
		}
	}
	n, err := s.file.WriteAt(b, s.size)
	s.size += int64(n)
	return n, err
}

func (s *spool) toFile() error {
	file, err := os.CreateTemp("", "go-tunnel-*")
	if err != nil {
		return err
	}
	s.file = file
	if os.Remove(file.Name()) != nil { // on Windows it cannot be removed yet
		s.path = file.Name()
	}
	if _, err := file.WriteAt(s.memory, 0); err != nil {
		return err
	}
	s.memory = nil
	return nil
}

// Read returns the bytes in the order of Write. io.EOF means that there are no more at the moment.
func (s *spool) Read(b []byte) (n int, err error) {
	if s.read == s.size {
		return 0, io.EOF
	}
	if s.file == nil {
		n = copy(b, s.memory[s.read:])
	} else if n, err = s.file.ReadAt(b[:min(int64(len(b)), s.size-s.read)], s.read); n > 0 {
		err = nil
	}
	s.read += int64(n)
	return n, err
}

// Close discards the content.
func (s *spool) Close() {
	if s.file != nil {
		_ = s.file.Close()
	}
	if s.path != "" {
		_ = os.Remove(s.path)
	}
	*s = spool{}
}
