package protocoltest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

const (
	formType = "multipart/form-data; boundary=b"
	formEnd  = "--b--\r\n"
)

// form is a request to a task of the kit, with these parts and the closing delimiter.
func form(id string, parts ...string) Request {
	return post(base+"/task/"+id, strings.Join(parts, "")+formEnd).contentType(formType)
}

// openForm is a form without a closing delimiter.
func openForm(id string, parts ...string) Request {
	return post(base+"/task/"+id, strings.Join(parts, "")).contentType(formType)
}

// formPart is a part with the rest of its Content-Disposition, and maybe further header lines.
func formPart(name, more, data string) string {
	return "--b\r\nContent-Disposition: form-data; name=\"" + name + `"` + more + "\r\n\r\n" + data + "\r\n"
}

func manifest(text string) string { return formPart("__manifest", "", text) }

// input is the manifest with an input.
func input(value string) string { return manifest(`{"input":` + value + `}`) }

// uploadInput is an input of kit.upload that reads some of its files. The ids of the files are
// also their keys.
func uploadInput(read string, ids ...string) string {
	var files []string
	for _, id := range ids {
		files = append(files, `"`+id+`":{"$runnerFile":"File","id":"`+id+`","meta":{}}`)
	}
	return input(`{"files":{` + strings.Join(files, ",") + `},"read":` + read + `}`)
}

// file is a part with a file named id.txt.
func file(id, data string) string {
	return formPart("file:"+id, `; filename="`+id+`.txt"`+"\r\nContent-Type: text/x", data)
}

// uploaded is the result of kit.upload for a file.
func uploaded(name, contentType, data string) string {
	hash := sha256.Sum256([]byte(data))
	return fmt.Sprintf(`{"name":%s,"type":%s,"size":%d,"sha256":"%s"}`, quote(name), quote(contentType), len(data), hex.EncodeToString(hash[:]))
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // every string can be encoded
	}
	return string(quoted)
}

// files is the answer of kit.upload to files of the function file; ids and data alternate.
func files(idsAndData ...string) Want {
	var all []string
	for i := 0; i < len(idsAndData); i += 2 {
		all = append(all, uploaded(idsAndData[i]+".txt", "text/x", idsAndData[i+1]))
	}
	return result(`[` + strings.Join(all, ",") + `]`)
}

func formCases() []Case {
	large, larger := strings.Repeat("0123456789", 30_000), strings.Repeat("\r\n--a", 100_000)
	order := func(name, rule string, want Want, parts ...string) Case {
		return Case{Name: name, Rule: rule, Request: form("kit.upload", parts...), Want: want}
	}
	abc := func(read string) string { return uploadInput(read, "a", "b", "c") }
	meta := func(name, rule, meta, part string, want string) Case {
		return Case{
			Name: name, Rule: rule, Want: result(`[` + want + `]`),
			Request: form("kit.upload", input(`{"files":{"a":{"$runnerFile":"File","id":"F1"`+meta+`}},"read":["a"]}`), formPart("file:F1", part, "abc")),
		}
	}
	const named = `; filename="p.txt"` + "\r\nContent-Type: text/css"
	twice := `{"files":{"a":{"$runnerFile":"File","id":"F1"},"b":{"$runnerFile":"File","id":"F1"}},"read":["a"]}`
	return []Case{
		order("one file", "A task reads a file of a form.", files("a", "abc"), uploadInput(`["a"]`, "a"), file("a", "abc")),
		order("empty file", "A file may be empty.", files("a", ""), uploadInput(`["a"]`, "a"), file("a", "")),
		order("in order", "Files may be read in the order of the form.", files("a", large, "b", "", "c", larger), abc(`["a","b","c"]`), file("a", large), file("b", ""), file("c", larger)),
		order("in the other order", "Files may be read in any order.", files("c", larger, "b", "", "a", large), abc(`["c","b","a"]`), file("a", large), file("b", ""), file("c", larger)),
		order("manifest last", "The manifest may stand behind the files.", files("b", larger, "a", large), file("a", large), file("b", larger), uploadInput(`["b","a"]`, "a", "b")),
		order("manifest between", "The manifest may stand between the files.", files("b", large, "a", "1"), file("a", "1"), uploadInput(`["b","a"]`, "a", "b"), file("b", large)),
		order("unread", "Files that the task does not read are dropped, whatever their size.", result(`[]`), abc(`[]`), file("a", large), file("b", larger), file("c", "")),
		order("first unread", "A file may be read when one before it is not.", files("c", larger), abc(`["c"]`), file("a", large), file("b", large), file("c", larger)),
		order("undeclared file", "A file that the input does not name is dropped.", files("a", "1"), file("x", large), uploadInput(`["a"]`, "a"), file("a", "1"), file("y", large)),
		order("part of another name", "A file part whose name is not file and an id is dropped.", files("a", "1"), uploadInput(`["a"]`, "a"), formPart("a", `; filename="a"`, large), file("a", "1")),
		order("other fields", "Other fields are ignored.", files("a", "1"), formPart("x", "", "1"), uploadInput(`["a"]`, "a"), formPart("y", "", large), file("a", "1")),
		order("id with odd letters", "An id is the whole rest of the name.", files("a:b c%", "1"), uploadInput(`["a:b c%"]`, "a:b c%"), file("a:b c%", "1")),
		order("empty id", "An id may be empty.", files("", "1"), uploadInput(`[""]`, ""), file("", "1")),
		order("same part twice", "Of two parts with the same id the first is the file.", files("a", "first"), uploadInput(`["a"]`, "a"), file("a", "first"), file("a", large)),
		order("transfer encoding", "A Content-Transfer-Encoding is ignored.", result(`[`+uploaded("x", "text/plain", "a=3Db")+`]`), uploadInput(`["a"]`, "a"), formPart("file:a", `; filename="x"`+"\r\nContent-Transfer-Encoding: quoted-printable", "a=3Db")),
		{
			Name: "same id twice in the input", Rule: "A file may stand in the input twice.",
			Request: form("kit.upload", input(twice), file("F1", "abc")), Want: files("F1", "abc"),
		},
		{
			Name: "file in JSON", Rule: "A file that is read must not be named in JSON.",
			Request: post(base+"/task/kit.upload", `{"input":{"files":{"a":{"$runnerFile":"File","id":"a"}},"read":["a"]}}`),
			Want:    failure(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "The task takes a body of type multipart/form-data"),
		},
		{
			Name: "unread file in JSON", Rule: "A file that nobody reads is data.",
			Request: post(base+"/task/kit.upload", `{"input":{"files":{"a":{"$runnerFile":"File","id":"a"}},"read":[]}}`), Want: result(`[]`),
		},
		{
			Name: "chunked", Rule: "A form may arrive without an announced length.",
			Request: form("kit.upload", uploadInput(`["a"]`, "a"), file("a", larger)).chunked(), Want: files("a", larger),
		},
		{
			Name: "gzip", Rule: "A gzip form is decoded.", Want: files("a", large),
			Request: func() Request {
				r := form("kit.upload", uploadInput(`["a"]`, "a"), file("a", large)).with("content-encoding", "gzip")
				r.Body = zip(string(r.Body))
				return r
			}(),
		},
		meta("part's metadata", "A file has the name and the type of its part.", ``, named, uploaded("p.txt", "text/css", "abc")),
		meta("manifest's metadata", "The input's own metadata come first.", `,"meta":{"name":"m.txt","type":"a/b","size":99}`, named, uploaded("m.txt", "a/b", "abc")),
		meta("some metadata", "What the input does not say about a file its part does.", `,"meta":{"name":"m.txt"}`, named, uploaded("m.txt", "text/css", "abc")),
		meta("no metadata", "A file without metadata is called upload.", ``, "\r\nContent-Type: application/octet-stream", uploaded("upload", "application/octet-stream", "abc")),
		meta("no type", "A file without a type is plain text.", ``, `; filename="x"`, uploaded("x", "text/plain", "abc")),
		meta("path in the name", "A file's name has no path.", ``, `; filename="/etc/x.txt"`, uploaded("x.txt", "text/plain", "abc")),
		meta("extended name", "A file's name may be written with its character set.", ``, `; filename="x"; filename*=utf-8''%C3%A9.txt`, uploaded("é.txt", "text/plain", "abc")),
		meta("name in Latin-1", "What is not UTF-8 in a file's name is Latin-1.", ``, "; filename=\"na\xefve.txt\"", uploaded("naïve.txt", "text/plain", "abc")),
		meta("extended name in Latin-1", "A file's extended name may be in Latin-1.", ``, `; filename*=iso-8859-1''na%EFve.txt`, uploaded("naïve.txt", "text/plain", "abc")),
		meta("extended name of a strange charset", "A file's name is that without a charset where that with one cannot be read.", ``, `; filename*=koi8-r''%C1; filename="x"`, uploaded("x", "text/plain", "abc")),
		meta("two names", "Of two names of a file the first counts.", ``, `; filename="a.txt"; filename="b.txt"`, uploaded("a.txt", "text/plain", "abc")),
		meta("type with parameters", "A file's type has no parameters and no capitals.", ``, `; filename="x"`+"\r\nContent-Type: Text/HTML; charset=utf-8", uploaded("x", "text/html", "abc")),
		meta("quotes in the name", "Quotes in a file's name are escaped.", ``, `; filename="a \"b\".txt"`, uploaded(`a "b".txt`, "text/plain", "abc")),
	}
}

// manifestCases are about the input of a form.
func manifestCases() []Case {
	echo := func(name, rule, text, want string) Case {
		return Case{Name: name, Rule: rule, Request: form("app.tasks.echo", manifest(text)), Want: result(want)}
	}
	missing := failure(http.StatusBadRequest, "MISSING_MANIFEST", "Missing manifest")
	invalid := failure(http.StatusBadRequest, "INVALID_MULTIPART", "Invalid manifest")
	refused := func(name, rule string, want Want, parts ...string) Case {
		return Case{Name: name, Rule: rule, Request: form("app.tasks.echo", parts...), Want: want}
	}
	layout := func(name, rule, before, after, contentType string) Case {
		r := post(echoPath, before+input(`1`)+after).contentType(contentType)
		return Case{Name: name, Rule: rule, Request: r, Want: result(`1`)}
	}
	return []Case{
		echo("input", "The input of a form is its manifest's member input.", `{"a":1,"input":{"b":[2]}}`, `{"b":[2]}`),
		echo("no input", "A manifest without input has none, whatever else it has.", `{"a":1}`, undefined),
		echo("empty manifest object", "A manifest may be an empty object.", `{}`, undefined),
		echo("manifest array", "A manifest may be an array, which has no input.", `[1]`, undefined),
		echo("input null in a form", "The input of a form may be null.", `{"input":null}`, `null`),
		echo("input undefined in a form", "The input of a form may be undefined.", `{"input":`+undefined+`}`, undefined),
		echo("invalid UTF-8", "What is not UTF-8 in a manifest is replaced.", "{\"input\":\"\xff\"}", "\"\uFFFD\""),
		echo("typed value in a form", "A typed record in a form arrives as it was sent.", `{"input":{"__type":"BigInt","value":"123"}}`, `{"__type":"BigInt","value":"123"}`),
		echo("like a file", "What is only like a file's placeholder is data.", `{"input":[{"$runnerFile":"File","id":1},{"$runnerFile":"Other","id":"a"}]}`, `[{"$runnerFile":"File","id":1},{"$runnerFile":"Other","id":"a"}]`),
		refused("no manifest", "A form needs a manifest.", missing, formPart("a", "", "1")),
		refused("no parts", "A form without parts has no manifest.", missing),
		refused("empty manifest", "A manifest must not be empty.", missing, manifest("")),
		refused("manifest null", "A manifest must not be null.", missing, manifest("null")),
		refused("manifest number", "A manifest must not be a number.", missing, manifest("5")),
		refused("manifest string", "A manifest must not be a string.", missing, manifest(`"x"`)),
		refused("manifest undefined", "A manifest must not be undefined.", missing, manifest(undefined)),
		refused("manifest as file", "A manifest may come with a file name, as a Blob in FormData does.", result(`1`), formPart("__manifest", `; filename="blob"`+"\r\nContent-Type: application/json", `{"input":1}`)),
		refused("manifest as octets", "A manifest may be of any type.", result(`1`), formPart("__manifest", "\r\nContent-Type: application/octet-stream", `{"input":1}`)),
		refused("two manifests, one a file", "A manifest with a file name is one as any other.", invalid, formPart("__manifest", `; filename="x"`, `{"input":1}`), input(`1`)),
		refused("manifest in Latin-1", "A manifest may be in Latin-1, if its content type says so.", result(`"é"`), formPart("__manifest", "\r\nContent-Type: text/plain; charset=ISO-8859-1", "{\"input\":\"\xe9\"}")),
		refused("manifest malformed", "A manifest that is not JSON is refused.", invalid, manifest(`{"input":`)),
		refused("manifest of blanks", "A manifest of blanks is no JSON.", invalid, manifest(` `)),
		refused("manifest too deep", "A manifest has the nesting limit of a body.", invalid, input(deepArrays(1001))),
		refused("two manifests", "A form has one manifest.", invalid, input(`1`), input(`1`)),
		layout("preamble and epilogue", "There may be something before and after a form.", "before\r\n", formEnd+"after", formType),
		layout("quoted boundary", "A boundary may be quoted.", "", formEnd, `multipart/form-data; boundary="b"`),
		layout("content type in capitals", "The case of a form's content type does not matter.", "", formEnd, `Multipart/Form-Data; Boundary=b`),
		layout("no last line end", "A form need not end with a line end.", "", "--b--", formType),
	}
}

func brokenFormCases() []Case {
	invalid := failure(http.StatusBadRequest, "INVALID_MULTIPART", "Invalid multipart payload")
	missing := failure(http.StatusInternalServerError, "MISSING_FILE_PART", "Internal Error")
	cut := failure(http.StatusInternalServerError, "STREAM_ERROR", "Internal Error")
	refused := func(name, rule string, want Want, r Request) Case {
		return Case{Name: name, Rule: rule, Request: r, Want: want}
	}
	whole := input(`1`) + formEnd
	trim := func(part string) string { return strings.TrimSuffix(part, "\r\n") }
	sentinel := uploadInput(`["a"]`, "a")
	return []Case{
		refused("no boundary", "A form needs a boundary.", invalid, openForm("app.tasks.echo", whole).contentType("multipart/form-data")),
		refused("other boundary", "A form needs the boundary that its content type names.", invalid, openForm("app.tasks.echo", whole).contentType("multipart/form-data; boundary=c")),
		refused("form among types", "A list of content types with a form in it is a form that cannot be read.", invalid, openForm("app.tasks.echo", whole).contentType("text/plain, "+formType)),
		refused("JSON as form", "A body that says to be a form must be one.", invalid, openForm("app.tasks.echo", addBody)),
		refused("empty form", "An empty body is no form.", invalid, openForm("app.tasks.echo", "").contentType(formType)),
		refused("LF only", "The lines of a form end with CR and LF.", invalid, openForm("app.tasks.echo", strings.ReplaceAll(whole, "\r", ""))),
		refused("cut in the manifest", "A form that breaks off in its manifest is refused.", invalid, openForm("app.tasks.echo", trim(input(`1`)))),
		refused("cut behind the manifest", "A form without an end is refused.", invalid, openForm("app.tasks.echo", input(`1`))),
		refused("cut in a field", "A form that breaks off in a field is refused.", invalid, openForm("app.tasks.echo", input(`1`), trim(formPart("x", "", "1")))),
		refused("cut in a file", "A form that breaks off in a file is an error of the stream.", cut, openForm("kit.upload", sentinel, trim(file("a", "abc")))),
		refused("cut in an unread file", "A form that breaks off in a file that nobody reads is an error too.", cut, openForm("app.tasks.nothing", input(`1`), trim(file("a", "abc")))),
		refused("missing file", "A file that the input names must be there.", missing, form("kit.upload", sentinel)),
		refused("missing unread file", "A file that the task does not read must be there too.", missing, form("kit.upload", uploadInput(`[]`, "a"))),
		refused("file as field", "A part without a file name is no file.", missing, form("kit.upload", sentinel, formPart("file:a", "", "abc"))),
		refused("empty file name", "A part with an empty file name is no file.", missing, form("kit.upload", sentinel, formPart("file:a", `; filename=""`, "abc"))),
		refused("broken form and failing task", "What is wrong with a form counts more than what the task throws.", missing, form("app.tasks.teapot", uploadInput(`[]`, "a"))),
		refused("failing task and a whole form", "What a task throws is answered if its form is right.", internal(), form("app.tasks.fail", uploadInput(`[]`, "a"), file("a", strings.Repeat("x", 300_000)))),
		refused("encoding of a form", "The encoding of a form must be gzip.", failure(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Unsupported content encoding"), form("app.tasks.echo", input(`1`)).with("content-encoding", "br")),
		refused("form without a token", "Nobody may send a form without a token.", unauthorized(), form("app.tasks.echo", input(`1`)).noToken()),
	}
}

func formLimitCases() []Case {
	over := func(what string) Want {
		return failure(http.StatusRequestEntityTooLarge, "PAYLOAD_TOO_LARGE", what+" limit exceeded")
	}
	limited := Setup{Limits: protocol.Limits{MaxFileSize: 5, MaxFiles: 2, MaxFields: 2, MaxFieldSize: 200}}
	limit := func(name, rule string, want Want, id string, parts ...string) Case {
		return Case{Name: name, Rule: rule, Setup: limited, Request: form(id, parts...), Want: want}
	}
	one := uploadInput(`["a"]`, "a")
	return []Case{
		limit("file of the limit", "A file of exactly the limit is accepted.", files("a", "12345"), "kit.upload", one, file("a", "12345")),
		limit("file over the limit", "A file of one byte more than the limit is refused.", over("File size"), "kit.upload", one, file("a", "123456")),
		limit("undeclared file over the limit", "The limit holds for files that the input does not name.", over("File size"), "app.tasks.nothing", input(`1`), file("a", "123456")),
		limit("part of another name over the limit", "The limit of files does not hold for file parts of another name.", result(undefined), "app.tasks.nothing", input(`1`), formPart("a", `; filename="a"`, "123456")),
		limit("files of the limit", "As many files as the limit are accepted.", result(undefined), "app.tasks.nothing", input(`1`), file("a", ""), file("b", "")),
		limit("files over the limit", "One file more than the limit is refused, whatever its name.", over("Files"), "app.tasks.nothing", input(`1`), file("a", ""), file("b", ""), formPart("c", `; filename="a"`, "")),
		limit("named files over the limit", "The input must not name more files than the limit.", over("Files"), "app.tasks.nothing", input(`[{"$runnerFile":"File","id":"a"},{"$runnerFile":"File","id":"b"},{"$runnerFile":"File","id":"c"}]`)),
		limit("fields of the limit", "As many fields as the limit are accepted, the manifest among them.", result(undefined), "app.tasks.nothing", input(`1`), formPart("x", "", "")),
		limit("fields over the limit", "One field more than the limit is refused.", over("Fields"), "app.tasks.nothing", input(`1`), formPart("x", "", ""), formPart("y", "", "")),
		limit("field of the limit", "A field of exactly the limit is accepted.", result(undefined), "app.tasks.nothing", input(`1`), formPart("x", "", strings.Repeat("x", 200))),
		limit("field over the limit", "A field of one byte more than the limit is refused.", over("Field"), "app.tasks.nothing", input(`1`), formPart("x", "", strings.Repeat("x", 201))),
		limit("manifest as file over the limit", "The limit of fields holds for a manifest with a file name.", over("Field"), "app.tasks.nothing", formPart("__manifest", `; filename="x"`, `{"input":1}`+strings.Repeat(" ", 190))),
		limit("manifest as file among fields", "A manifest with a file name is one of the fields.", over("Fields"), "app.tasks.nothing", formPart("__manifest", `; filename="x"`, `{}`), formPart("x", "", ""), formPart("y", "", "")),
		limit("manifest over the limit", "The limit of fields holds for the manifest.", over("Field"), "app.tasks.nothing", manifest(`{"input":1}`+strings.Repeat(" ", 190))),
		{
			Name: "one limit given", Rule: "A limit that is not given keeps its default.",
			Setup:   Setup{Limits: protocol.Limits{MaxFiles: 1}},
			Request: form("app.tasks.nothing", formPart("x", "", strings.Repeat("x", 1<<20+1)), input(`1`)), Want: over("Field"),
		},
		{
			Name: "limits of a JSON body", Rule: "The limit of JSON bodies does not hold for forms.",
			Setup:   Setup{Limits: protocol.Limits{MaxBody: 10}},
			Request: form("kit.upload", one, file("a", "12345")), Want: files("a", "12345"),
		},
	}
}
