package protocol

// Codec is a dialect of values: how Go values are written as JSON, and read back.
// Its methods may be called concurrently. Unmarshal is given valid JSON only.
type Codec interface {
	Marshal(v any) ([]byte, error)
	Unmarshal(data []byte, v any) error
}
