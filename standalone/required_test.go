package standalone_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/ejson"
	"github.com/bluelibs/go-tunnel/protocol/serializer"
	"github.com/bluelibs/go-tunnel/standalone"
)

type inner struct {
	Scan standalone.File `json:"scan"`
}

type outer struct {
	Photo standalone.File `json:"photo"`
	inner
	Hidden standalone.File `json:"-"`
}

type optional struct {
	Pointer *standalone.File  `json:"pointer"`
	Empty   standalone.File   `json:"empty,omitempty"`
	Zero    standalone.File   `json:"zero,omitzero"`
	Nested  *inner            `json:"nested"`
	Unset   inner             `json:"unset,omitzero"`
	Slice   []standalone.File `json:"slice"`
	Array   [2]standalone.File
	Any     any
	Own     ownDecoder
	Time    time.Time
}

// ownDecoder decodes itself: nobody knows what of.
type ownDecoder struct{ File standalone.File }

func (*ownDecoder) UnmarshalJSON([]byte) error { return nil }

type tree struct {
	Leaf     standalone.File `json:"leaf"`
	Children []*tree         `json:"children,omitempty"`
}

type hidden struct {
	inner
	Scan string `json:"scan"`
}

type embeddedPointer struct {
	*Named
	X int
}

type Named struct{ Doc standalone.File }

// What JSON takes for a member, or for nothing, promotes no fields.
type (
	embeddedMember struct {
		*Named `json:"named,omitzero"`
		X      int
	}
	embeddedHidden struct {
		Named `json:"-"`
		X     int
	}
)

// registerFiles registers tasks whose inputs have files in them, which must not run.
func registerFiles(t *testing.T, r *standalone.Registry, ran *bool) {
	register[standalone.File](r, "root", ran)
	register[*standalone.File](r, "pointer", ran)
	register[outer](r, "outer", ran)
	register[optional](r, "optional", ran)
	register[*inner](r, "inner", ran)
	register[tree](r, "tree", ran)
	register[hidden](r, "hidden", ran)
	register[embeddedPointer](r, "embedded", ran)
	register[embeddedMember](r, "embedded member", ran)
	register[embeddedHidden](r, "embedded hidden", ran)
	register[[]standalone.File](r, "slice", ran)
	register[map[string]inner](r, "map", ran)
	register[map[string]standalone.File](r, "files", ran)
	register[[2]inner](r, "array", ran)
}

func register[In any](r *standalone.Registry, id string, ran *bool) {
	standalone.Task(r, id, func(context.Context, In) (bool, error) { *ran = true; return true, nil })
	standalone.Event(r, id, func(context.Context, In) error { *ran = true; return nil })
}

const (
	needsForm   = "UNSUPPORTED_MEDIA_TYPE: The task takes a body of type multipart/form-data"
	noFileThere = "INVALID_INPUT: Invalid input: missing file"
)

// A file that is not there, or that no form brings, is refused before the task runs.
func TestRequiredFiles(t *testing.T) {
	const file = `{"$runnerFile":"File","id":"F1"}`
	for _, codec := range []protocol.Codec{nil, &serializer.Codec{}, &ejson.Codec{}} {
		r := &standalone.Registry{Codec: codec}
		ran := false
		registerFiles(t, r, &ran)
		for _, c := range []struct{ id, input, want, form string }{
			{"root", ``, noFileThere, noFileThere},
			{"root", `null`, noFileThere, noFileThere},
			{"root", file, needsForm, ""},
			{"pointer", `null`, "", ""},
			{"pointer", file, "", ""},
			{"outer", ``, noFileThere + " at photo", noFileThere + " at photo"},
			{"outer", `{}`, noFileThere + " at photo", noFileThere + " at photo"},
			{"outer", `{"photo":null,"scan":` + file + `}`, noFileThere + " at photo", noFileThere + " at photo"},
			{"outer", `{"photo":` + file + `}`, needsForm, noFileThere + " at scan"},
			{"outer", `{"photo":` + file + `,"scan":` + file + `}`, needsForm, ""},
			{"optional", ``, "", ""},
			{"optional", `{}`, "", ""},
			{"optional", `{"pointer":` + file + `,"empty":` + file + `,"zero":` + file + `}`, "", ""},
			{"optional", `{"pointer":null,"empty":null,"zero":null,"nested":null,"slice":null}`, "", ""},
			{"optional", `{"nested":{}}`, noFileThere + " at nested.scan", noFileThere + " at nested.scan"},
			{"optional", `{"nested":{"scan":` + file + `}}`, needsForm, ""},
			{"optional", `{"unset":{"scan":` + file + `}}`, needsForm, ""},
			{"optional", `{"slice":[` + file + `,null]}`, needsForm, noFileThere + " at slice.1"},
			{"optional", `{"Array":[` + file + `]}`, "", ""},
			{"inner", `null`, "", ""},
			{"inner", `{}`, noFileThere + " at scan", noFileThere + " at scan"},
			{"tree", `{"leaf":` + file + `,"children":[{"leaf":` + file + `},null,{"children":[]}]}`, needsForm, noFileThere + " at children.2.leaf"},
			{"hidden", `{"scan":"x"}`, "", ""},
			{"embedded member", `{"X":1}`, "", ""},
			{"embedded member", `{"named":{}}`, noFileThere + " at named.Doc", noFileThere + " at named.Doc"},
			{"embedded hidden", `{"X":1}`, "", ""},
			{"embedded", `{"X":1}`, noFileThere + " at Doc", noFileThere + " at Doc"},
			{"embedded", `{"Doc":` + file + `}`, needsForm, ""},
			{"slice", `[]`, "", ""},
			{"slice", `[` + file + `,null]`, needsForm, noFileThere + " at 1"},
			{"map", `{}`, "", ""},
			{"map", `{"a b":{}}`, noFileThere + " at a b.scan", noFileThere + " at a b.scan"},
			{"files", `{"` + strings.Repeat("x", 1000) + `":null}`, noFileThere + " at " + strings.Repeat("x", 256) + "…", noFileThere + " at " + strings.Repeat("x", 256) + "…"},
			{"array", `[{"scan":` + file + `}]`, needsForm, ""},
			{"array", `[]`, "", ""},
		} {
			check := func(call *protocol.Call, want string) {
				ran = false
				_, err := r.Execute(t.Context(), call)
				if want == "" {
					assert.NoError(t, err, "%s %s", c.id, c.input)
				} else {
					assert.EqualError(t, err, want, "%s %s", c.id, c.input)
				}
				assert.Equal(t, want == "", ran, "%s %s", c.id, c.input)
			}
			var payload []byte
			if c.input != "" {
				payload = []byte(c.input)
			}
			check(&protocol.Call{ID: c.id, Payload: payload}, c.want)
			check(&protocol.Call{ID: c.id, Kind: protocol.KindEvent, Payload: payload}, strings.Replace(c.want, needsForm, "UNSUPPORTED_MEDIA_TYPE: An event takes no files", 1))
			if payload != nil {
				check(formCall(t, c.id, c.input, `; filename="x"`), c.form)
			}
		}
	}
}

// A task opens what may not be there.
func TestOpenOptionalFiles(t *testing.T) {
	r := standalone.NewRegistry()
	open := func(ctx context.Context, file *standalone.File) (bool, error) {
		_, err := file.Open(ctx)
		return err == nil, err
	}
	standalone.Task(r, "zero", func(ctx context.Context, in struct {
		File standalone.File `json:",omitzero"`
	}) (bool, error) {
		return open(ctx, &in.File)
	})
	standalone.Task(r, "pointer", func(ctx context.Context, in struct{ File *standalone.File }) (bool, error) { return open(ctx, in.File) })
	standalone.Event(r, "pointer", func(ctx context.Context, in struct{ File *standalone.File }) error {
		_, err := open(ctx, in.File)
		return err
	})
	for _, id := range []string{"zero", "pointer"} {
		_, err := r.Execute(t.Context(), &protocol.Call{ID: id, Payload: []byte(`{}`)})
		assert.EqualError(t, err, noFileThere)
		_, err = r.Execute(t.Context(), &protocol.Call{ID: id, Payload: []byte(`{"File":` + f1 + `}}`)})
		assert.EqualError(t, err, needsForm)
		_, err = r.Execute(t.Context(), formCall(t, id, `{"File":`+f1+`}}`, `; filename="x"`))
		assert.NoError(t, err)
	}
	_, err := r.Execute(t.Context(), &protocol.Call{ID: "pointer", Kind: protocol.KindEvent, Payload: []byte(`{"File":` + f1 + `}}`)})
	assert.EqualError(t, err, "UNSUPPORTED_MEDIA_TYPE: An event takes no files")
	_, err = new(standalone.File).Open(t.Context())
	var public *protocol.Error
	assert.NotErrorAs(t, err, &public, "a mistake of the program's")
}

// An empty id is one.
func TestFileOfAnEmptyID(t *testing.T) {
	r := standalone.NewRegistry()
	standalone.Task(r, "root", func(ctx context.Context, in standalone.File) (bool, error) { _, err := in.Open(ctx); return true, err })
	call := formCall(t, "root", `{"$runnerFile":"File","id":""}`, `; filename="x"`)
	_, err := r.Execute(t.Context(), call)
	var public *protocol.Error
	assert.ErrorAs(t, err, &public)
	assert.Equal(t, protocol.CodeMissingFilePart, public.Code, "it is looked for in the form")
}

// A task that takes a value does not run for a raw body, which it would take for its zero
// value.
func TestOctetsForATaskThatTakesAValue(t *testing.T) {
	for _, codec := range []protocol.Codec{nil, &serializer.Codec{}} {
		r := &standalone.Registry{Codec: codec}
		ran := false
		register[struct{ A int }](r, "struct", &ran)
		register[*struct{ A int }](r, "pointer to a struct", &ran)
		register[map[string]any](r, "map", &ran)
		register[json.RawMessage](r, "raw", &ran)
		register[inner](r, "file", &ran)
		for id, want := range map[string]string{"struct": "json", "pointer to a struct": "json", "map": "json", "raw": "json", "file": "form"} {
			_, err := r.Execute(t.Context(), &protocol.Call{ID: id, Body: io.NopCloser(strings.NewReader(`{"a":1}`))})
			assert.EqualError(t, err, map[string]string{
				"json": "UNSUPPORTED_MEDIA_TYPE: The task takes a body of type application/json", "form": needsForm,
			}[want], id)
		}
		assert.False(t, ran)

		standalone.Task(r, "any", func(ctx context.Context, _ any) (any, error) {
			text, err := io.ReadAll(standalone.CallFrom(ctx).Body)
			return string(text), err
		})
		reply, err := r.Execute(t.Context(), &protocol.Call{ID: "any", Body: io.NopCloser(strings.NewReader("text"))})
		require.NoError(t, err)
		assert.JSONEq(t, `"text"`, string(reply.Value), "it takes any, and none")
	}
}
