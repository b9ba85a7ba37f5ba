package protocol

// MaxDepth is how deep a value may be nested: the document's root is at depth 0.
// Runner's serializer has the same limit, a constant in both.
const MaxDepth = 1000

// DefaultMaxBody is the largest JSON body accepted unless configured, in bytes.
const DefaultMaxBody = 2 << 20

// Limits bounds what one request may cost. Every limit is an inclusive maximum;
// one that is zero or negative has its default, whatever the others are.
type Limits struct {
	// MaxBody is the size of a JSON body in bytes, counted after decompression.
	// Default: DefaultMaxBody (2 MiB).
	MaxBody int64
}

// WithDefaults returns l with its defaults filled in.
func (l Limits) WithDefaults() Limits {
	if l.MaxBody <= 0 {
		l.MaxBody = DefaultMaxBody
	}
	return l
}
