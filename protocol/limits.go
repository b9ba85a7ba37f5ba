package protocol

import (
	"math"
	"time"
)

// MaxDepth is the largest depth of a value: the document's root is at depth 0. Runner's serializer
// has the same limit, a constant in both.
const MaxDepth = 1000

// These are the limits unless configured.
const (
	// DefaultMaxBody is the largest JSON body, in bytes.
	DefaultMaxBody = 2 << 20
	// DefaultMaxFileSize is the largest file of a multipart body, in bytes.
	DefaultMaxFileSize = 20 << 20
	// DefaultMaxFieldSize is the largest field of a multipart body, in bytes.
	DefaultMaxFieldSize = 1 << 20
	// DefaultMaxFiles is how many files a multipart body may have.
	DefaultMaxFiles = 10
	// DefaultMaxFields is how many fields a multipart body may have.
	DefaultMaxFields = 100
	// DefaultLingerBytes is how much of a body is dropped after its request was answered.
	DefaultLingerBytes = 64 << 20
	// DefaultLingerTime is how long that may take.
	DefaultLingerTime = 30 * time.Second
	// DefaultLingerCallers is how many callers may linger at a time.
	DefaultLingerCallers = 1000
)

// Limits bounds the cost of a request. Every limit is an inclusive maximum. Zero or a negative
// value means the default, whatever the other limits are.
type Limits struct {
	// MaxBody is the size of a JSON body in bytes, counted after decompression. The input
	// of a form is bounded by MaxFieldSize. Default: DefaultMaxBody (2 MiB).
	MaxBody int64
	// MaxStream is the size of an application/octet-stream body in bytes, counted after
	// decompression. Default: no limit.
	MaxStream int64
	// MaxFileSize is the size of each file of a multipart body in bytes.
	// Default: DefaultMaxFileSize (20 MiB).
	MaxFileSize int64
	// MaxFiles is how many files a multipart body may have, and how many its input may name.
	// Default: DefaultMaxFiles (10).
	MaxFiles int
	// MaxFields is how many other fields it may have, including the manifest.
	// Default: DefaultMaxFields (100).
	MaxFields int
	// MaxFieldSize is the size of each of these fields, also of the manifest, in bytes.
	// Default: DefaultMaxFieldSize (1 MiB).
	MaxFieldSize int64

	// LingerBytes is how much of an unread body is received and dropped after its request was
	// answered over HTTP/1, in bytes: a caller that sends everything before it reads could
	// not read the answer otherwise. Default: DefaultLingerBytes (64 MiB).
	LingerBytes int64
	// LingerTime is how long that may take, whatever the server's ReadTimeout. It ends before
	// if the caller is silent for 5 s, or sends more after the server has begun to shut down.
	// Default: DefaultLingerTime (30 s).
	LingerTime time.Duration
	// LingerCallers is how many callers may linger at a time. Each of them costs its
	// connection, a goroutine and 8 KiB. All others have half a second to read the answer
	// before the connection is closed. Default: DefaultLingerCallers (1000).
	LingerCallers int
}

// WithDefaults returns l with its defaults filled in.
func (l Limits) WithDefaults() Limits {
	orDefault(&l.MaxBody, DefaultMaxBody)
	orDefault(&l.MaxStream, 0)
	orDefault(&l.MaxFileSize, DefaultMaxFileSize)
	orDefault(&l.MaxFiles, DefaultMaxFiles)
	orDefault(&l.MaxFields, DefaultMaxFields)
	orDefault(&l.MaxFieldSize, DefaultMaxFieldSize)
	orDefault(&l.LingerBytes, DefaultLingerBytes)
	orDefault(&l.LingerTime, DefaultLingerTime)
	orDefault(&l.LingerCallers, DefaultLingerCallers)
	return l
}

// MaxForm returns the largest size of a multipart body that is within l, in bytes, or zero if
// that is more than an int64. It bounds the parts that have no limit of their own, which
// matters for compressed bodies.
func (l Limits) MaxForm() int64 {
	l = l.WithDefaults()
	files, fields := float64(l.MaxFiles), float64(l.MaxFields)
	size := files*float64(l.MaxFileSize) + fields*float64(l.MaxFieldSize) + (files+2*fields+2)*maxPartHeader
	if size >= math.MaxInt64 {
		return 0
	}
	return int64(size)
}

func orDefault[N int | int64 | time.Duration](limit *N, value N) {
	if *limit <= 0 {
		*limit = value
	}
}
