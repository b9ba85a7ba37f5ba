package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const formType = "multipart/form-data; boundary=b"

// part is a part of a form with the rest of its disposition and more header lines.
func part(name, more, data string) string {
	return "--b\r\nContent-Disposition: form-data; name=\"" + name + `"` + more + "\r\n\r\n" + data + "\r\n"
}

func filePart(id, data string) string { return part("file:"+id, `; filename="`+id+`.txt"`, data) }

// cutFile is a file part that breaks off behind its data.
func cutFile(id, data string) string { return strings.TrimSuffix(filePart(id, data), "\r\n") }

func manifest(input string) string { return part("__manifest", "", `{"input":`+input+`}`) }

func sentinel(id string) string { return `{"$runnerFile":"File","id":"` + id + `"}` }

const formEnd = "--b--\r\n"

// formBody counts how often it is closed.
type formBody struct {
	io.Reader
	closed int
}

func (b *formBody) Close() error { b.closed++; return nil }

func newForm(text string, limits ...Limits) *Form {
	return NewForm(&formBody{Reader: strings.NewReader(text)}, formType, append(limits, Limits{})[0])
}

// noTempFiles lets a test have a directory for temporary files, which must be empty at
// its end.
func noTempFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		assert.NoError(t, err)
		assert.Empty(t, left)
		open, _ := filepath.Glob("/proc/self/fd/*") // on Linux a removed file may still be open
		for _, fd := range open {
			path, _ := os.Readlink(fd)
			assert.False(t, strings.HasPrefix(path, dir), path)
		}
	})
}

func TestFormManifest(t *testing.T) {
	for name, c := range map[string]struct{ form, input, ids string }{
		"input":              {manifest(`{"a": 1}`) + formEnd, `{"a": 1}`, ``},
		"no input":           {part("__manifest", "", `{"a":1}`) + formEnd, ``, ``},
		"empty object":       {part("__manifest", "", `{}`) + formEnd, ``, ``},
		"array":              {part("__manifest", "", ` [1] `) + formEnd, ``, ``},
		"null":               {manifest(`null`) + formEnd, `null`, ``},
		"undefined":          {manifest(Undefined) + formEnd, ``, ``},
		"typed root":         {part("__manifest", "", `{"__type":"Date","value":0}`) + formEnd, ``, ``},
		"no UTF-8":           {manifest("\"\xff\"") + formEnd, "\"\uFFFD\"", ``},
		"typed part":         {part("__manifest", "\r\nContent-Type: application/json", `{"input":1}`) + formEnd, `1`, ``},
		"as a file":          {part("__manifest", `; filename="blob"`+"\r\nContent-Type: application/json", `{"input":1}`) + formEnd, `1`, ``},
		"as octets":          {part("__manifest", "\r\nContent-Type: application/octet-stream", `{"input":1}`) + formEnd, `1`, ``},
		"in Latin-1":         {part("__manifest", "\r\nContent-Type: text/plain; charset=ISO-8859-1", "{\"input\":\"\xef\"}") + formEnd, `"ï"`, ``},
		"UTF-8 all the same": {part("__manifest", "\r\nContent-Type: text/plain; charset=ISO-8859-1", `{"input":"ï"}`) + formEnd, `"ï"`, ``},
		"id in Latin-1":      {manifest(sentinel("ï")) + filePart("\xef", "") + formEnd, `-`, `ï`},
		"preamble":           {"hello\r\n--bx\r\n" + manifest(`1`) + formEnd, `1`, ``},
		"epilogue":           {manifest(`1`) + formEnd + "more\r\n--b\r\n", `1`, ``},
		"no last CRLF":       {manifest(`1`) + "--b--", `1`, ``},
		"blanks at end":      {manifest(`1`) + "--b-- \t\r\n", `1`, ``},
		"other parts":        {"--b\r\nX: y\r\n\r\nz\r\n" + "--b\r\nContent-Disposition: attachment; name=\"__manifest\"\r\n\r\nz\r\n" + part("a", "", "1") + manifest(`1`) + formEnd, `1`, ``},
		"file":               {manifest(sentinel("F1")) + filePart("F1", "") + formEnd, sentinel("F1"), `F1`},
		"files in order":     {manifest(`{"z":[`+sentinel("c")+`,1e999,`+sentinel("a")+`],"a":`+sentinel("b")+`,"b":`+sentinel("a")+`}`) + filePart("a", "") + filePart("b", "") + filePart("c", "") + formEnd, `-`, `c,a,b`},
		"file of Runner 4":   {manifest(`{"$ejson":"File","id":"F1","meta":{}}`) + filePart("F1", "") + formEnd, `-`, `F1`},
		"escaped":            {manifest(`{"$runner\u0046ile":"F\u0069le","\u0069d":"\u0046"}`) + filePart("F", "") + formEnd, `-`, `F`},
		"file in a file":     {manifest(`{"$runnerFile":"File","meta":`+sentinel("x")+`,"id":"y"}`) + filePart("y", "") + formEnd, `-`, `y`},
		"empty id":           {manifest(sentinel("")) + filePart("", "") + formEnd, `-`, ``},
		"no files":           {manifest(`[{"$runnerFile":"File"},{"$runnerFile":"File","id":1},{"$runnerFile":"file","id":"a"},{"$runnerFile":"File","$runnerFile":1,"id":"a"},"File"]`) + formEnd, `-`, ``},
		"last member":        {manifest(`{"$runnerFile":"File","id":"a","id":"b"}`) + filePart("b", "") + formEnd, `-`, `b`},
		"quoted name":        {manifest(sentinel(`a:/ b`)) + filePart(`a:/ b`, "") + formEnd, `-`, `a:/ b`},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForm(c.form)
			input, err := f.Manifest()
			require.NoError(t, err)
			if c.input != `-` {
				assert.Equal(t, c.input, string(input))
			}
			assert.Equal(t, c.ids, strings.Join(f.FileIDs(), ","))
			assert.NoError(t, f.Finish(false))
			assert.NoError(t, f.Close())
		})
	}
}

func TestFormErrors(t *testing.T) {
	missing, invalid, layout := "MISSING_MANIFEST: Missing manifest", "INVALID_MULTIPART: Invalid manifest", "INVALID_MULTIPART: Invalid multipart payload"
	cut, noFile := "STREAM_ERROR: Internal Error", "MISSING_FILE_PART: Internal Error"
	small := Limits{MaxFileSize: 3, MaxFiles: 2, MaxFields: 2, MaxFieldSize: 60}
	over := func(what string) string { return "PAYLOAD_TOO_LARGE: " + what + " limit exceeded" }
	ab := sentinel("a")
	for name, c := range map[string]struct {
		form   string
		limits Limits
		want   string
	}{
		"no parts":               {form: formEnd, want: missing},
		"no manifest":            {form: part("a", "", "1") + formEnd, want: missing},
		"empty manifest":         {form: part("__manifest", "", "") + formEnd, want: missing},
		"manifest null":          {form: part("__manifest", "", "null") + formEnd, want: missing},
		"manifest number":        {form: part("__manifest", "", "5") + formEnd, want: missing},
		"manifest string":        {form: part("__manifest", "", `"x"`) + formEnd, want: missing},
		"manifest undefined":     {form: part("__manifest", "", Undefined) + formEnd, want: missing},
		"manifest file empty":    {form: part("__manifest", `; filename="x"`, "") + formEnd, want: missing},
		"manifests of two kinds": {form: part("__manifest", `; filename="x"`, "{}") + manifest(`1`) + formEnd, want: invalid},
		"manifest of blanks":     {form: part("__manifest", "", " ") + formEnd, want: invalid},
		"manifest malformed":     {form: part("__manifest", "", `{"input":`) + formEnd, want: invalid},
		"manifest too deep":      {form: manifest(strings.Repeat("[", 1001)+strings.Repeat("]", 1001)) + formEnd, want: invalid},
		"two manifests":          {form: manifest(`1`) + manifest(`1`) + formEnd, want: invalid},
		"empty body":             {form: "", want: layout},
		"no delimiter":           {form: "hello\r\nworld\r\n", want: layout},
		"long preamble":          {form: strings.Repeat("x\r\n", 30_000) + manifest(`1`) + formEnd, want: layout},
		"long line":              {form: strings.Repeat("x", 70_000) + "\r\n" + manifest(`1`) + formEnd, want: layout},
		"LF only":                {form: strings.ReplaceAll(manifest(`1`)+formEnd, "\r", ""), want: layout},
		"other delimiter":        {form: "--c\r\n" + manifest(`1`)[5:] + "--c--\r\n", want: layout},
		"large header":           {form: "--b\r\nX: " + strings.Repeat("y", 70_000) + "\r\n\r\n\r\n" + manifest(`1`) + formEnd, want: layout},
		"cut in the manifest":    {form: manifest(`1`)[:60], want: layout},
		"cut behind a part":      {form: manifest(`1`), want: layout},
		"cut at the end":         {form: manifest(`1`) + "--b", want: layout},
		"cut in a header":        {form: manifest(`1`) + "--b\r\nContent-D", want: layout},
		"cut behind a header":    {form: manifest(`1`) + "--b\r\nContent-Disposition: form-data; name=\"x\"", want: layout},
		"cut in a first header":  {form: "--b\r\nContent-Disposition: form-data; name=\"__man", want: layout},
		"cut in a field":         {form: manifest(`1`) + part("a", "", "123")[:54], want: layout},
		"cut in a file":          {form: manifest(ab) + cutFile("a", "1234"), want: cut},
		"cut in an extra file":   {form: manifest(`1`) + cutFile("a", "1234"), want: cut},
		"cut in another file":    {form: manifest(`1`) + strings.TrimSuffix(part("a", `; filename="a"`, "1234"), "\r\n"), want: layout},
		"missing file":           {form: manifest(ab) + formEnd, want: noFile},
		"missing, one there":     {form: manifest(`[`+ab+`,`+sentinel("b")+`]`) + filePart("a", "") + formEnd, want: noFile},
		"file as field":          {form: manifest(ab) + part("file:a", "", "x") + formEnd, want: noFile},
		"file in other letters":  {form: manifest(ab) + filePart("A", "x") + formEnd, want: noFile},

		"file of the limit":             {manifest(ab) + filePart("a", "123") + formEnd, small, ""},
		"file over the limit":           {manifest(ab) + filePart("a", "1234") + formEnd, small, over("File size")},
		"early file over the limit":     {filePart("a", "1234") + manifest(ab) + formEnd, small, over("File size")},
		"extra file over the limit":     {manifest(`1`) + filePart("a", "1234") + formEnd, small, over("File size")},
		"second file over the limit":    {manifest(ab) + filePart("a", "1") + filePart("a", "1234") + formEnd, small, over("File size")},
		"other file of any size":        {manifest(`1`) + part("a", `; filename="a"`, "123456") + formEnd, small, ""},
		"files of the limit":            {manifest(`1`) + filePart("a", "") + part("b", `; filename="a"`, "") + formEnd, small, ""},
		"files over the limit":          {manifest(`1`) + filePart("a", "") + filePart("b", "") + part("c", `; filename="a"`, "") + formEnd, small, over("Files")},
		"early files over the limit":    {strings.Repeat(filePart("a", ""), 3) + manifest(`1`) + formEnd, small, over("Files")},
		"named files over the limit":    {part("__manifest", "", `{"input":[`+sentinel("a")+`,`+sentinel("b")+`,`+sentinel("c")+`]}`) + formEnd, Limits{MaxFiles: 2}, over("Files")},
		"fields of the limit":           {manifest(`1`) + part("a", "", "") + formEnd, small, ""},
		"fields over the limit":         {manifest(`1`) + part("a", "", "") + part("b", "", "") + formEnd, small, over("Fields")},
		"parts over the limit":          {manifest(`1`) + strings.Repeat("--b\r\nX: y\r\n\r\nz\r\n", 3) + formEnd, small, over("Parts")},
		"manifest file of the limit":    {part("__manifest", `; filename="x"`, `{"input":1}`+strings.Repeat(" ", 49)) + formEnd, small, ""},
		"manifest file over the limit":  {part("__manifest", `; filename="x"`, `{"input":1}`+strings.Repeat(" ", 50)) + formEnd, small, over("Field")},
		"manifest file among fields":    {part("__manifest", `; filename="x"`, `{}`) + part("a", "", "") + part("b", "", "") + formEnd, small, over("Fields")},
		"manifest file is no file":      {part("__manifest", `; filename="x"`, `{}`) + filePart("a", "") + filePart("b", "") + formEnd, small, ""},
		"field of the limit":            {part("a", "", strings.Repeat("x", 60)) + manifest(`1`) + formEnd, small, ""},
		"field over the limit":          {part("a", "", strings.Repeat("x", 61)) + manifest(`1`) + formEnd, small, over("Field")},
		"late field over the limit":     {manifest(`1`) + part("a", "", strings.Repeat("x", 61)) + formEnd, small, over("Field")},
		"manifest of the limit":         {part("__manifest", "", `{"input":1}`+strings.Repeat(" ", 49)) + formEnd, small, ""},
		"manifest over the limit":       {part("__manifest", "", `{"input":1}`+strings.Repeat(" ", 50)) + formEnd, small, over("Field")},
		"file of the default limit":     {manifest(ab) + filePart("a", strings.Repeat("x", 20<<20)) + formEnd, Limits{}, ""},
		"file over the default limit":   {manifest(ab) + filePart("a", strings.Repeat("x", 20<<20+1)) + formEnd, Limits{MaxFiles: 1}, over("File size")},
		"fields of the default limit":   {manifest(`1`) + strings.Repeat(part("a", "", ""), 99) + formEnd, Limits{}, ""},
		"fields over the default limit": {manifest(`1`) + strings.Repeat(part("a", "", ""), 100) + formEnd, Limits{}, over("Fields")},
		"files over the default limit":  {manifest(`1`) + strings.Repeat(filePart("a", ""), 11) + formEnd, Limits{}, over("Files")},
		"field over the default limit":  {part("a", "", strings.Repeat("x", 1<<20+1)) + formEnd, Limits{}, over("Field")},
	} {
		t.Run(name, func(t *testing.T) {
			noTempFiles(t)
			f := newForm(c.form, c.limits)
			defer f.Close()
			_, first := f.Manifest()
			err := f.Finish(false)
			if first != nil {
				assert.Equal(t, first, err, "an error stays")
			}
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			var public *Error
			require.ErrorAs(t, err, &public)
			assert.Equal(t, c.want, (&Error{Code: public.Code, Message: public.Message}).Error())
		})
	}
}

func TestFormContentType(t *testing.T) {
	text := manifest(`1`) + formEnd
	for contentType, ok := range map[string]bool{
		formType:                                                     true,
		`multipart/form-data; boundary="b"`:                          true,
		"Multipart/Form-Data; x=y;Boundary=b":                        true,
		"multipart/form-data":                                        false,
		`multipart/form-data; boundary=""`:                           false,
		"multipart/form-data; boundary=":                             false,
		"multipart/form-data; boundary=c":                            false,
		"text/plain, " + formType:                                    false,
		"xmultipart/form-datax; boundary=b":                          false,
		"multipart/form-data; boundary=" + strings.Repeat("b", 5000): false,
	} {
		f := NewForm(io.NopCloser(strings.NewReader(text)), contentType, Limits{})
		_, err := f.Manifest()
		assert.Equal(t, ok, err == nil, "%s: %v", contentType, err)
		if !ok {
			assert.Equal(t, CodeInvalidMultipart, Public(err).Code, contentType)
		}
	}
}

func TestFormMetadata(t *testing.T) {
	for _, c := range []struct{ more, name, contentType string }{
		{`; filename="a.txt"`, "a.txt", ""},
		{`; filename="/etc/x\y/z.txt"`, "z.txt", ""},
		{`; filename=".."`, "", ""},
		{`; filename="a \"b\".txt"`, `a "b".txt`, ""},
		{`; filename="é.txt"`, "é.txt", ""},
		{`; filename="x"; filename*=utf-8''%C3%A9.txt`, "é.txt", ""},
		{"; filename=\"na\xefve.txt\"", "naïve.txt", ""},
		{"; filename=\"\xc3\xa9 \xe9.txt\"", "Ã© é.txt", ""},
		{`; filename*=iso-8859-1''na%EFve.txt`, "naïve.txt", ""},
		{`; filename="a.txt"; filename="b.txt"`, "a.txt", ""},
		{`; filename="x"` + "\r\nContent-Type: Text/HTML; charset=utf-8", "x", "text/html"},
		{`; filename="x"` + "\r\nContent-Type: nonsense", "x", ""},
		{`; filename="x"` + "\r\nContent-Type: text/css; =", "x", "text/css"},
		{"\r\nContent-Type: application/octet-stream; a=b", "", "application/octet-stream"},
		{`; filename="x"` + "\r\nContent-Transfer-Encoding: quoted-printable", "x", ""},
	} {
		f := newForm(manifest(sentinel("F")) + part("file:F", c.more, "a=3Db") + formEnd)
		_, err := f.Manifest()
		require.NoError(t, err, c)
		p, err := f.Open("F")
		require.NoError(t, err, c)
		assert.Equal(t, c.name, p.Name, c)
		assert.Equal(t, c.contentType, p.Type, c)
		data, err := io.ReadAll(p)
		require.NoError(t, err, c)
		assert.Equal(t, "a=3Db", string(data), c)
		require.NoError(t, f.Close())
	}
}

// permutations calls fn with every order of n things.
func permutations(n int, fn func([]int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var place func(int)
	place = func(at int) {
		if at == n {
			fn(order)
			return
		}
		for i := at; i < n; i++ {
			order[at], order[i] = order[i], order[at]
			place(at + 1)
			order[at], order[i] = order[i], order[at]
		}
	}
	place(0)
}

// Every order of three files and the manifest, each of every size that matters, read in
// every order, by one reader or by three at once, or not at all.
func TestFormEveryOrder(t *testing.T) {
	noTempFiles(t)
	names := []string{"a", "b", "c"}
	content := map[string]string{}
	large := randomText(5 << 20)
	for _, sizes := range [][]int{{0, 1, 70_000}, {spoolMemory, spoolMemory + 1, 4096}, {0, 5 << 20, 100_000}} {
		for i, size := range sizes {
			content[names[i]] = large[i : i+min(size, len(large)-i)]
		}
		permutations(4, func(layout []int) {
			var form strings.Builder
			for _, i := range layout {
				if i == 3 {
					form.WriteString(manifest(`[` + sentinel("a") + `,` + sentinel("b") + `,` + sentinel("c") + `]`))
				} else {
					form.WriteString(filePart(names[i], content[names[i]]))
				}
			}
			form.WriteString(formEnd)
			check := func(name string, f *Form) {
				p, err := f.Open(name)
				if !assert.NoError(t, err) {
					return
				}
				data, err := io.ReadAll(p)
				assert.NoError(t, err)
				assert.True(t, content[name] == string(data), "%s of %v in layout %v", name, sizes, layout)
			}
			open := func() *Form {
				f := newForm(form.String())
				_, err := f.Manifest()
				require.NoError(t, err)
				return f
			}
			permutations(3, func(order []int) {
				for some := range 4 { // the first of them, and then maybe none
					if some > 0 && some < 3 && sizes[1] == len(large) {
						continue // it takes long
					}
					f := open()
					for _, i := range order[:some] {
						check(names[i], f)
					}
					require.NoError(t, f.Finish(false))
					require.NoError(t, f.Close())
				}
			})
			f := open() // at once
			var readers sync.WaitGroup
			for _, name := range names {
				readers.Go(func() { check(name, f) })
			}
			readers.Wait()
			require.NoError(t, f.Finish(false))
			require.NoError(t, f.Close())

			f = open() // after the end
			require.NoError(t, f.Finish(true))
			for _, name := range names {
				check(name, f)
			}
			require.NoError(t, f.Close())
		})
	}
}

func randomText(size int) string {
	seed := rand.New(rand.NewPCG(1, 2))
	const chars = "0123456789abcdefghijklmnopqrstuvwxyz\r\n-b"
	text := make([]byte, size)
	for i := range text {
		text[i] = chars[seed.IntN(len(chars))]
	}
	return strings.ReplaceAll(string(text), "--b", "-bb")
}

func TestFormPartsOpenedAndLeft(t *testing.T) {
	noTempFiles(t)
	data := strings.Repeat("0123456789", 20_000)
	text := manifest(`[`+sentinel("a")+`,`+sentinel("b")+`]`) + filePart("a", data) + filePart("a", "again") + filePart("b", data) + formEnd
	f := newForm(text)
	_, err := f.Manifest()
	require.NoError(t, err)

	b, err := f.Open("b")
	require.NoError(t, err)
	a, err := f.Open("a")
	require.NoError(t, err)
	_, err = f.Open("a")
	assert.ErrorContains(t, err, "second time")
	_, err = f.Open("c")
	assert.ErrorContains(t, err, "names no file")

	half := make([]byte, len(data)/2)
	_, err = io.ReadFull(a, half)
	require.NoError(t, err)
	n, err := a.Read(nil)
	assert.Zero(t, n)
	assert.NoError(t, err)
	_, err = io.ReadFull(b, half)
	require.NoError(t, err)
	require.NoError(t, f.Finish(false))

	rest, err := io.ReadAll(a)
	require.NoError(t, err)
	assert.Equal(t, data, string(half)+string(rest), "the first part of an id is its file")
	require.NoError(t, b.Close())
	_, err = b.Read(half)
	assert.Equal(t, errPartClosed, err)
	require.NoError(t, b.Close())

	body := f.body.(*formBody)
	require.NoError(t, f.Close())
	assert.Equal(t, 1, body.closed)
	_, err = a.Read(half)
	assert.Equal(t, errFormClosed, err)
	_, err = f.Open("a")
	assert.Equal(t, errFormClosed, err)
	assert.NoError(t, f.Finish(false))
}

func TestFormFinishedDropsWhatIsNotOpened(t *testing.T) {
	f := newForm(filePart("a", "1") + manifest(`[`+sentinel("a")+`]`) + formEnd)
	_, err := f.Manifest()
	require.NoError(t, err)
	require.NoError(t, f.Finish(false))
	_, err = f.Open("a")
	assert.ErrorContains(t, err, "after the form's end")
	require.NoError(t, f.Close())
}

func TestFormOfABrokenConnection(t *testing.T) {
	for want, cause := range map[Code]error{
		CodeRequestAborted:  &Error{Code: CodeRequestAborted},
		CodeRequestTimeout:  fmt.Errorf("read: %w", &Error{Code: CodeRequestTimeout}),
		CodePayloadTooLarge: &Error{Code: CodePayloadTooLarge},
		CodeStream:          &Error{Code: CodeStream, Err: io.ErrUnexpectedEOF},
	} {
		for _, text := range []string{manifest(sentinel("a")) + cutFile("a", "12345678"), manifest(sentinel("a")) + "--b\r\n"} {
			f := NewForm(io.NopCloser(io.MultiReader(strings.NewReader(text), iotest.ErrReader(cause))), formType, Limits{})
			_, err := f.Manifest()
			require.NoError(t, err)
			code := want
			if want == CodeStream && strings.HasSuffix(text, "--b\r\n") {
				code = CodeInvalidMultipart
			}
			p, err := f.Open("a")
			if err == nil {
				_, err = io.ReadAll(p)
			}
			assert.Equal(t, code, Public(err).Code)
			assert.Equal(t, err, f.Finish(false))
			require.NoError(t, f.Close())
		}
	}
}

// An error of the body is the form's, wherever it comes: what mime/multipart makes of the
// line that it cuts does not matter.
func TestFormKeepsTheErrorOfItsBody(t *testing.T) {
	text := "preamble\r\n" + manifest(sentinel("a")) + part("x", "", "field") + "--b\r\nX: no form-data\r\n\r\nx\r\n" +
		part("file:a", "; filename=\"a\"\r\nContent-Type: text/x", "12345678") + filePart("b", "dropped") + formEnd + "epilogue"
	for want, cause := range map[Code]error{
		CodeRequestAborted:  &Error{Code: CodeRequestAborted},
		CodeRequestTimeout:  fmt.Errorf("read: %w", &Error{Code: CodeRequestTimeout}),
		CodePayloadTooLarge: &Error{Code: CodePayloadTooLarge},
	} {
		for cut := range len(text) + 1 {
			for _, how := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
				body := how(io.MultiReader(strings.NewReader(text[:cut]), iotest.ErrReader(cause)))
				f := NewForm(io.NopCloser(body), formType, Limits{})
				_, err := f.Manifest()
				if err == nil {
					var p *FormFile
					if p, err = f.Open("a"); err == nil {
						_, err = io.ReadAll(p)
					}
				}
				if err == nil { // behind the file
					err = f.Finish(false)
				}
				require.Equal(t, want, Public(err).Code, "%v behind %q", err, text[:cut])
				assert.Equal(t, err, f.Finish(false), "an error stays")
				require.NoError(t, f.Close())
			}
		}
	}
}

// Whoever looks for a part that is not there finds in the log why others were passed over.
func TestFormSaysWhatItPassedOver(t *testing.T) {
	broken := "--b\r\nContent-Disposition: form-data; name=\"file:a\"; filename=\"a\r\n\r\nx\r\n"
	odd := "--b\r\nContent-Disposition: attachment; name=\"file:a\"\r\n\r\nx\r\n"
	long := "--b\r\nContent-Disposition: x" + strings.Repeat("y", 5000) + "\r\n\r\nx\r\n"
	for name, c := range map[string]struct{ form, want string }{
		"nothing":        {manifest(sentinel("a")) + formEnd, `MISSING_FILE_PART: Internal Error: no part for file "a"`},
		"broken":         {manifest(sentinel("a")) + broken + formEnd, `MISSING_FILE_PART: Internal Error: no part for file "a"; parts skipped: 1 (malformed Content-Disposition: "form-data; name=\"file:a\"; filename=\"a")`},
		"other kind":     {manifest(sentinel("a")) + odd + formEnd, `MISSING_FILE_PART: Internal Error: no part for file "a"; parts skipped: 1 (no Content-Disposition of form-data: "attachment; name=\"file:a\"")`},
		"no header":      {manifest(sentinel("a")) + "--b\r\n\r\nx\r\n" + formEnd, `MISSING_FILE_PART: Internal Error: no part for file "a"; parts skipped: 1 (no Content-Disposition of form-data: "")`},
		"a field":        {manifest(sentinel("a")) + part("file:a", "", "x") + formEnd, `MISSING_FILE_PART: Internal Error: no part for file "a"; parts skipped: 1 (neither a file name nor the type application/octet-stream: "form-data; name=\"file:a\"")`},
		"the manifest":   {strings.ReplaceAll(broken, "file:a", "__manifest") + formEnd, `MISSING_MANIFEST: Missing manifest: no part __manifest; parts skipped: 1 (malformed Content-Disposition: "form-data; name=\"__manifest\"; filename=\"a")`},
		"many, and long": {manifest(sentinel(strings.Repeat("a", 5000))) + strings.Repeat(long, 50) + formEnd, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForm(c.form)
			err := f.Finish(false)
			if c.want != "" {
				assert.EqualError(t, err, c.want)
			} else {
				assert.ErrorContains(t, err, "parts skipped: 50 (")
				assert.Less(t, len(err.Error()), 1000)
			}
			require.NoError(t, f.Close())
		})
	}
}

// pipeBody is a connection: closing it ends a Read.
type pipeBody struct{ *io.PipeReader }

func TestFormCloseEndsAReadThatWaits(t *testing.T) {
	noTempFiles(t)
	r, w := io.Pipe()
	f := NewForm(pipeBody{r}, formType, Limits{})
	go io.WriteString(w, manifest(`[`+sentinel("a")+`,`+sentinel("b")+`]`)+cutFile("a", "12345678"))
	_, err := f.Manifest()
	require.NoError(t, err)
	results := make(chan error)
	p, err := f.Open("a")
	require.NoError(t, err)
	go func() {
		_, err := io.ReadAll(p)
		results <- err
	}()
	go func() {
		_, err := f.Open("b")
		results <- err
	}()
	go func() { results <- f.Finish(true) }()
	require.NoError(t, f.Close())
	var errs []error
	for range 3 {
		errs = append(errs, <-results)
	}
	assert.ElementsMatch(t, []error{errFormClosed, errFormClosed, nil}, errs)
}

// A reader gets the bytes of a file as they come, and nothing is put aside for it.
func TestFormPassesBytesOnAtOnce(t *testing.T) {
	r, w := io.Pipe()
	f := NewForm(pipeBody{r}, formType, Limits{})
	go io.WriteString(w, manifest(sentinel("a"))+cutFile("a", ""))
	_, err := f.Manifest()
	require.NoError(t, err)
	p, err := f.Open("a")
	require.NoError(t, err)
	buf := make([]byte, 1<<20)
	for _, text := range []string{"one", "two", strings.Repeat("3", 3000)} {
		go io.WriteString(w, text)
		n, err := p.Read(buf)
		require.NoError(t, err)
		assert.Equal(t, text, string(buf[:n]))
	}
	assert.Zero(t, p.file.spool.size)
	require.NoError(t, f.Close())
}

func TestFormWithoutATemporaryDirectory(t *testing.T) {
	t.Setenv("TMPDIR", "/does/not/exist")
	t.Setenv("TMP", `Z:\does\not\exist`)
	data := strings.Repeat("x", spoolMemory+1)
	f := newForm(filePart("a", data) + manifest(sentinel("a")) + formEnd)
	_, err := f.Manifest()
	var public *Error
	assert.Error(t, err)
	assert.False(t, errors.As(err, &public), "it is no fault of the caller: %v", err)
	require.NoError(t, f.Close())
}

func FuzzForm(f *testing.F) {
	f.Add([]byte(manifest(`[`+sentinel("a")+`,`+sentinel("b")+`]`)+filePart("a", "1")+filePart("b", "22")+formEnd), uint8(0))
	f.Add([]byte(filePart("b", "1")+filePart("a", "\r\n--b-\r\n")+manifest(`{"a":`+sentinel("a")+`,"b":`+sentinel("b")+`}`)+formEnd+"x"), uint8(1))
	f.Add([]byte(manifest(sentinel("a"))+cutFile("a", "1")), uint8(2))
	f.Add([]byte("x\r\n--b \t\r\n\r\n\r\n--b\r\nContent-Disposition: form-data; name*=utf-8''__manifest\r\n\r\n{\"input\":1e999}\r\n--b--"), uint8(3))
	f.Add([]byte(strings.ReplaceAll(manifest(`1`)+formEnd, "\r", "")), uint8(4))
	f.Add([]byte(part("__manifest", "\r\nContent-Type: application/octet-stream", `{}`)+part("x", "", "")+manifest(`{"$runnerFile":"File","id":"\ud800"}`)+formEnd), uint8(5))
	f.Fuzz(func(t *testing.T, text []byte, how uint8) {
		limits := Limits{MaxFileSize: 1000, MaxFiles: 3, MaxFields: 3, MaxFieldSize: 1000}
		form := NewForm(io.NopCloser(iotest.HalfReader(bytes.NewReader(text))), formType, limits)
		defer form.Close()
		input, err := form.Manifest()
		if err != nil {
			if again := form.Finish(false); again != err {
				t.Fatalf("%v, then %v", err, again)
			}
			return
		}
		if _, _, err := ParsePayload(KindEvent, input); err != nil && input != nil {
			t.Fatalf("input %q: %v", input, err)
		}
		ids := form.FileIDs()
		if len(ids) > limits.MaxFiles {
			t.Fatalf("%d files", len(ids))
		}
		if how&1 != 0 && len(ids) > 1 {
			ids[0], ids[1] = ids[1], ids[0]
		}
		whole := true
		for i, id := range ids {
			if how&2 != 0 && i == 0 {
				continue
			}
			p, err := form.Open(id)
			if err != nil {
				whole = false
				continue
			}
			if how&4 != 0 {
				_ = p.Close()
				continue
			}
			data, err := io.ReadAll(p)
			if err != nil {
				whole = false
			} else if !bytes.Contains(text, data) || int64(len(data)) > limits.MaxFileSize {
				t.Fatalf("file %q holds %q", id, data)
			}
		}
		if err := form.Finish(how&8 != 0); err == nil && !whole {
			t.Fatal("a form that is right has lost a file")
		} else if err != nil && !Public(err).Code.Known() {
			t.Fatalf("an error of no code: %v", err)
		}
	})
}

// Naming a great many files takes time in proportion.
func TestManifestOfManyFiles(t *testing.T) {
	var input strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&input, `,{"$ejson":"File","id":"%06d"}`, i)
	}
	form := newForm(manifest("["+input.String()[1:]+"]")+formEnd, Limits{MaxFieldSize: 20 << 20})
	refused := make(chan error, 1)
	go func() {
		_, err := form.Manifest()
		refused <- err
	}()
	select {
	case err := <-refused:
		assert.ErrorIs(t, err, form.err)
		assert.ErrorContains(t, err, "Files limit exceeded")
	case <-time.After(2 * time.Minute): // quadratic time would be hours
		t.Fatal("it takes too long")
	}
}
