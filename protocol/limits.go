package protocol

import "math"

// MaxDepth is how deep a value may be nested: the document's root is at depth 0.
// Runner's serializer has the same limit, a constant in both.
const MaxDepth = 1000

// The limits that hold unless configured.
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
)

// Limits bounds what one request may cost. Every limit is an inclusive maximum;
// one that is zero or negative has its default, whatever the others are.
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
	// MaxFiles is how many files a multipart body may have, and name.
	// Default: DefaultMaxFiles (10).
	MaxFiles int
	// MaxFields is how many other fields it may have, the manifest among them.
	// Default: DefaultMaxFields (100).
	MaxFields int
	// MaxFieldSize is the size of each of those, and so of the manifest, in bytes.
	// Default: DefaultMaxFieldSize (1 MiB).
	MaxFieldSize int64
}

// WithDefaults returns l with its defaults filled in.
func (l Limits) WithDefaults() Limits {
	orDefault(&l.MaxBody, DefaultMaxBody)
	orDefault(&l.MaxStream, 0)
	orDefault(&l.MaxFileSize, DefaultMaxFileSize)
	orDefault(&l.MaxFiles, DefaultMaxFiles)
	orDefault(&l.MaxFields, DefaultMaxFields)
	orDefault(&l.MaxFieldSize, DefaultMaxFieldSize)
	return l
}

// MaxForm returns how long a multipart body may be that is within l, in bytes: zero if
// longer than can be counted. Parts of no use have no limit of their own, which is as
// good as none where they are compressed.
func (l Limits) MaxForm() int64 {
	l = l.WithDefaults()
	files, fields := float64(l.MaxFiles), float64(l.MaxFields)
	size := files*float64(l.MaxFileSize) + fields*float64(l.MaxFieldSize) + (files+2*fields+2)*maxPartHeader
	if size >= math.MaxInt64 {
		return 0
	}
	return int64(size)
}

func orDefault[N int | int64](limit *N, value N) {
	if *limit <= 0 {
		*limit = value
	}
}
