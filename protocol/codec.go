package protocol

// Codec is a dialect of JSON. It defines how documents represent values that JSON lacks, such
// as dates and binary data. A Codec may be used concurrently.
type Codec interface {
	// Marshal returns v as one JSON document in the dialect.
	Marshal(v any) ([]byte, error)
	// Unmarshal decodes a document into the value that v points to. Nil data stands for
	// no value at all, JavaScript's undefined. The error is an *Error of CodeInvalidJSON
	// if the document breaks the rules of JSON or of the dialect. Every other error means
	// that the document does not fit v.
	Unmarshal(data []byte, v any) error
}
