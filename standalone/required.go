package standalone

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// errNoForm is the error of a call whose input names a file but that has no form.
var errNoForm = &protocol.Error{
	Code:    protocol.CodeUnsupportedMediaType,
	Message: "The task takes a body of type multipart/form-data",
}

// errEventFile is the same error for an event, which never has a form.
var errEventFile = &protocol.Error{Code: protocol.CodeUnsupportedMediaType, Message: "An event takes no files"}

func noForm(call *protocol.Call) error {
	if call.Kind == protocol.KindEvent {
		return errEventFile
	}
	return errNoForm
}

// missingFile returns the error for an input that lacks a required file.
func missingFile(member string) error {
	const most = 256
	if len(member) > most {
		member = strings.ToValidUTF8(member[:most], "") + "…"
	}
	message := "Invalid input: missing file"
	if member != "" {
		message += " at " + member
	}
	return &protocol.Error{Code: protocol.CodeInvalidInput, Message: message}
}

// fileCheck looks for the required files of a type in a value. There is one for each type, and it
// never changes. Nil means that the type requires none.
type fileCheck struct {
	kind    reflect.Kind
	isFile  bool
	members []fileMember // the fields of a struct; for all other types only the element
}

// fileMember is a member of a type that holds files.
type fileMember struct {
	name     string
	index    []int // the index of a struct's field
	optional bool
	typ      reflect.Type
	check    *fileCheck
}

var (
	fileType        = reflect.TypeFor[File]()
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// requiredFiles returns the check for a type. A File in it is required if it is no pointer and its
// field has neither omitempty nor omitzero, as in schema.Of.
func requiredFiles(t reflect.Type) *fileCheck {
	return makeFileCheck(t, make(map[reflect.Type]*fileCheck))
}

func makeFileCheck(t reflect.Type, known map[reflect.Type]*fileCheck) *fileCheck {
	if check, ok := known[t]; ok {
		return check
	}
	if !holdsFile(t, make(map[reflect.Type]bool)) {
		return nil
	}
	check := &fileCheck{kind: t.Kind(), isFile: t == fileType}
	known[t] = check // before its members, which may be of the same type
	for _, member := range membersOf(t) {
		if member.check = makeFileCheck(member.typ, known); member.check != nil {
			check.members = append(check.members, member)
		}
	}
	return check
}

func holdsFile(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == fileType {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	for _, member := range membersOf(t) {
		if holdsFile(member.typ, seen) {
			return true
		}
	}
	return false
}

// membersOf returns the members of a type that JSON decodes into, without optional files.
func membersOf(t reflect.Type) []fileMember {
	pointer := reflect.PointerTo(t)
	if pointer.Implements(unmarshaler) || pointer.Implements(textUnmarshaler) {
		return nil // it decodes itself
	}
	switch t.Kind() {
	case reflect.Pointer:
		if t.Elem() == fileType {
			return nil
		}
		return []fileMember{{typ: t.Elem()}}
	case reflect.Slice, reflect.Map:
		return []fileMember{{typ: t.Elem()}}
	case reflect.Array: // it may have fewer elements in JSON
		if t.Elem() == fileType {
			return nil
		}
		return []fileMember{{typ: t.Elem(), optional: true}}
	case reflect.Struct:
		return fieldsOf(t)
	}
	return nil
}

// fieldsOf returns the fields of a struct that JSON decodes into, with those of embedded structs.
// If several have the same name, the outermost counts.
func fieldsOf(t reflect.Type) (members []fileMember) {
	outermost := make(map[string]int)
	fields := promotedFields(t)
	for _, field := range fields {
		if name, _, ok := jsonField(field); ok {
			depth := len(field.Index)
			if other, taken := outermost[name]; taken {
				depth = min(depth, other)
			}
			outermost[name] = depth
		}
	}
	for _, field := range fields {
		name, optional, ok := jsonField(field)
		if ok && outermost[name] == len(field.Index) && !(optional && field.Type == fileType) {
			members = append(members, fileMember{name: name, index: field.Index, optional: optional, typ: field.Type})
		}
	}
	return members
}

// promotedFields returns the fields of a struct and of its embedded structs, without the fields of
// an embedded struct that JSON ignores or treats as a member with a name.
func promotedFields(t reflect.Type) (fields []reflect.StructField) {
	var members [][]int
	for _, field := range reflect.VisibleFields(t) {
		if slices.ContainsFunc(members, func(outer []int) bool {
			return len(field.Index) > len(outer) && slices.Equal(field.Index[:len(outer)], outer)
		}) {
			continue
		}
		if _, _, named := jsonField(field); field.Anonymous && (named || field.Tag.Get("json") == "-") {
			members = append(members, field.Index)
		}
		fields = append(fields, field)
	}
	return fields
}

// jsonField returns the name of a field, and whether it may be absent. It is not ok if JSON
// ignores the field, or only uses its fields.
func jsonField(field reflect.StructField) (name string, optional, ok bool) {
	tag := field.Tag.Get("json")
	name, options, _ := strings.Cut(tag, ",")
	inner := field.Type
	if inner.Kind() == reflect.Pointer {
		inner = inner.Elem()
	}
	if tag == "-" || !field.IsExported() || field.Anonymous && name == "" && inner.Kind() == reflect.Struct {
		return "", false, false
	}
	if name == "" {
		name = field.Name
	}
	for option := range strings.SplitSeq(options, ",") {
		optional = optional || option == "omitempty" || option == "omitzero"
	}
	return name, optional, true
}

// verify returns the error for an input that lacks a required file, or that names a file in a call
// without a form.
func (c *fileCheck) verify(input any, call *protocol.Call) error {
	member, verdict := c.find(reflect.ValueOf(input), call.Form != nil)
	switch verdict {
	case fileMissing:
		return missingFile(member)
	case fileWithoutForm:
		return noForm(call)
	}
	return nil
}

type fileVerdict int

const (
	filesRight fileVerdict = iota
	fileMissing
	fileWithoutForm
)

// find looks for the first wrong file, and returns the path of members to it.
func (c *fileCheck) find(v reflect.Value, form bool) (member string, verdict fileVerdict) {
	if c.isFile {
		return "", verdictOf(v.Interface().(File), form)
	}
	of := func(m fileMember, name func() string, v reflect.Value) bool {
		if m.optional && v.IsZero() {
			return false
		}
		if member, verdict = m.check.find(v, form); verdict == filesRight {
			return false
		}
		member = joinMembers(name(), member)
		return true
	}
	switch c.kind {
	case reflect.Pointer:
		if !v.IsNil() {
			return c.members[0].check.find(v.Elem(), form)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if of(c.members[0], func() string { return strconv.Itoa(i) }, v.Index(i)) {
				return member, verdict
			}
		}
	case reflect.Map:
		for all := v.MapRange(); all.Next(); {
			if of(c.members[0], func() string { return fmt.Sprint(all.Key()) }, all.Value()) {
				return member, verdict
			}
		}
	case reflect.Struct:
		for _, m := range c.members {
			field, err := v.FieldByIndexErr(m.index)
			if err != nil { // the field is in an embedded pointer that is nil
				field = reflect.Zero(m.typ)
			}
			if of(m, func() string { return m.name }, field) {
				return member, verdict
			}
		}
	}
	return "", filesRight
}

func verdictOf(file File, form bool) fileVerdict {
	switch {
	case !file.given:
		return fileMissing
	case !form:
		return fileWithoutForm
	}
	return filesRight
}

func joinMembers(outer, inner string) string {
	if inner == "" {
		return outer
	}
	return outer + "." + inner
}
