package differential_test

import (
	"fmt"
	"strings"
)

// What the cases that move bytes are written with.

const (
	boundary      = "b0"
	octetType     = "Content-Type: application/octet-stream"
	formType      = "Content-Type: multipart/form-data; boundary=" + boundary
	fullTask      = "full.tasks."
	emptyManifest = `{"input":{}}`
)

// formPart returns a part with these header lines.
func formPart(body string, lines ...string) string {
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

func formField(name, text string, lines ...string) string {
	return formPart(text, append([]string{`Content-Disposition: form-data; name="` + name + `"`}, lines...)...)
}

// formFile is a file as Runner's smart client sends it.
func formFile(id, content string, lines ...string) string {
	head := fmt.Sprintf(`Content-Disposition: form-data; name="file:%s"; filename="%s.txt"`, id, strings.Trim(id, `:/`))
	if lines == nil {
		lines = []string{"Content-Type: text/csv"}
	}
	return formPart(content, append([]string{head}, lines...)...)
}

func formManifest(text string, lines ...string) string {
	return formField("__manifest", text, lines...)
}

// formInput is the manifest with an input.
func formInput(input string) string { return formManifest(`{"input":` + input + `}`) }

// sentinel stands for a file in an input.
func sentinel(id string) string { return `{"$runnerFile":"File","id":"` + id + `"}` }

func sentinelMeta(id, meta string) string {
	return `{"$runnerFile":"File","id":"` + id + `","meta":` + meta + `}`
}

// fileAInput is the manifest with one file, a, as file.
func fileAInput() string { return formInput(`{"file":` + sentinel("a") + `}`) }

// filesInput is the manifest with files of these ids.
func filesInput(ids ...string) string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = sentinel(id)
	}
	return formInput(`{"files":[` + strings.Join(all, ",") + `]}`)
}

func formOf(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteString("--" + boundary + "\r\n" + part + "\r\n")
	}
	return b.String() + "--" + boundary + "--\r\n"
}

// formCase sends parts to a task of full.js.
func formCase(name, task string, parts ...string) exchange {
	return exchange{name: name, raw: rawTask(fullTask+task, formOf(parts...), formType)}
}

// octetCase sends a body to a task of full.js.
func octetCase(name, task, body string, lines ...string) exchange {
	return exchange{name: name, raw: rawTask(fullTask+task, body, append(lines, octetType)...)}
}

// jsonCase sends an input to a task of full.js.
func jsonCase(name, task, input string, lines ...string) exchange {
	return exchange{name: name, raw: rawTask(fullTask+task, `{"input":`+input+`}`, lines...)}
}
