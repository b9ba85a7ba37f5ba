package client

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/goccy/go-json"
)

// File is a file to upload. A *File may be anywhere in the input of a task, also several times;
// the task gets Runner's file object there. It belongs to one call, which consumes it.
type File struct {
	// Name is the file's name. Empty means that the server chooses one.
	Name string
	// Type is the content type. Empty means application/octet-stream.
	Type string
	// Size is the size in bytes that the task is told; nothing checks it. Zero means that the task
	// is told none.
	Size int64
	// LastModified is sent to the task in milliseconds. Zero is not sent.
	LastModified time.Time
	// Extra is further information for the task, as plain JSON.
	Extra map[string]any
	// Reader has the bytes. If it is an io.Closer, it is closed after the call, unless nothing was
	// sent because an argument was wrong. If it is not, a Read under way may end after a call that
	// was cancelled.
	Reader io.Reader

	id   string // in the form
	form *files // set while the input is encoded
}

// files are the files that an encoded input names, in order.
type files []*File

// meta has the sentinel's information about a file.
type meta struct {
	Name         string         `json:"name,omitempty"`
	Type         string         `json:"type,omitempty"`
	Size         int64          `json:"size,omitempty"`
	LastModified int64          `json:"lastModified,omitempty"`
	Extra        map[string]any `json:"extra,omitempty"`
}

// MarshalJSON returns the sentinel for the file. Only the client uses it: it fails outside of a
// call.
func (f *File) MarshalJSON() ([]byte, error) {
	if f.form == nil {
		return nil, errors.New("client: a File is inside of a value that the client cannot search")
	}
	m := meta{Name: f.Name, Type: f.contentType(), Size: f.Size, Extra: f.Extra}
	if !f.LastModified.IsZero() {
		m.LastModified = f.LastModified.UnixMilli()
	}
	if !slices.Contains(*f.form, f) {
		*f.form = append(*f.form, f)
	}
	return json.MarshalWithOption(struct {
		RunnerFile string `json:"$runnerFile"`
		ID         string `json:"id"`
		Meta       meta   `json:"meta"`
	}{"File", f.id, m}, json.DisableHTMLEscape())
}

func (f *File) contentType() string {
	if f.Type == "" {
		return "application/octet-stream"
	}
	return f.Type
}

// encodeInput returns an input as a value of the wire, and the files that it names. It does not
// return files that the codec omits, for example because of a field's tag.
func (c *Client) encodeInput(in any) (value []byte, named files, err error) {
	finder := fileFinder{form: &named}
	if err := finder.find(reflect.ValueOf(in)); err != nil {
		return nil, nil, err
	}
	value, err = c.encode(in)
	for _, f := range finder.found {
		f.form = nil
	}
	return value, named, err
}

// fileFinder collects the possible files of an input, and gives each an id.
type fileFinder struct {
	form  *files
	found files
	seen  map[reference]bool
	types map[reflect.Type]bool
}

type reference struct {
	address uintptr
	length  int
	of      reflect.Type
}

var fileType = reflect.TypeFor[File]()

// find looks at every value that an encoder of v could reach, and at more.
func (f *fileFinder) find(v reflect.Value) error {
	if !v.IsValid() || !f.mayHold(v.Type()) {
		return nil
	}
	switch v.Kind() {
	case reflect.Interface:
		return f.find(v.Elem())
	case reflect.Pointer:
		if v.IsNil() || f.visited(v, 0) {
			return nil
		}
		if v.Type().Elem() == fileType && v.CanInterface() {
			return f.add(v.Interface().(*File))
		}
		return f.find(v.Elem())
	case reflect.Map:
		if f.visited(v, 0) {
			return nil
		}
		for entries := v.MapRange(); entries.Next(); {
			if err := f.find(entries.Value()); err != nil {
				return err
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && f.visited(v, v.Len()) {
			return nil
		}
		for i := range v.Len() {
			if err := f.find(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		if v.Type() == fileType {
			return errors.New("an input must have a *File, not a File")
		}
		for _, i := range encodedFields(v.Type()) {
			if err := f.find(v.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *fileFinder) add(file *File) error {
	if file.Reader == nil {
		return fmt.Errorf("the file %q has no Reader", file.Name)
	}
	f.found = append(f.found, file)
	file.id, file.form = "F"+strconv.Itoa(len(f.found)), f.form
	return nil
}

// visited reports whether find has seen v before, so that cycles end.
func (f *fileFinder) visited(v reflect.Value, length int) bool {
	key := reference{v.Pointer(), length, v.Type()}
	if f.seen[key] {
		return true
	}
	if f.seen == nil {
		f.seen = make(map[reference]bool)
	}
	f.seen[key] = true
	return false
}

// mayHold reports whether a value of type t may contain a file. Values of most types cannot, and
// need no search.
func (f *fileFinder) mayHold(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map, reflect.Struct:
	default:
		return false
	}
	may, known := f.types[t]
	if known {
		return may
	}
	if f.types == nil {
		f.types = make(map[reflect.Type]bool)
	}
	f.types[t] = true // for types inside that contain t again
	if t.Kind() == reflect.Struct {
		may = t == fileType || slices.ContainsFunc(encodedFields(t), func(i int) bool { return f.mayHold(t.Field(i).Type) })
	} else {
		may = f.mayHold(t.Elem())
	}
	f.types[t] = may
	return may
}

// encodedFields returns the indices of the fields that an encoder can see.
func encodedFields(t reflect.Type) (indices []int) {
	for i := range t.NumField() {
		if field := t.Field(i); field.IsExported() || field.Anonymous {
			indices = append(indices, i)
		}
	}
	return indices
}
