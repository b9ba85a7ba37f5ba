package schema

import "strings"

// adapt changes a document so that the validator reads it as the library that wrote it does.
func adapt(document any, o Options) any {
	root, ok := document.(object)
	if !ok {
		return document
	}
	draft, _ := root["$schema"].(string)
	a := adapter{options: &o, valibot: strings.TrimSuffix(draft, "#") == "http://json-schema.org/draft-07/schema"}
	a.schema(root)
	if _, said := root["$schema"]; !said && a.tuples && !a.prefixes {
		// Typebox emits this, and no other sign that its draft is older than 2020-12.
		root["$schema"] = "https://json-schema.org/draft/2019-09/schema"
	}
	return root
}

type adapter struct {
	options          *Options
	valibot          bool // the draft is draft-07, as valibot writes it
	tuples, prefixes bool // items is a list; there is a prefixItems
}

func (a *adapter) value(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			a.value(item)
		}
	case object:
		a.schema(v)
	}
}

func (a *adapter) schema(s object) {
	if isFile(s) {
		clear(s)
		for keyword, value := range fileSchema() {
			s[keyword] = value
		}
		return
	}
	if format, ok := s["format"].(string); ok {
		switch a.options.format(format) {
		case FormatAnnotate:
			delete(s, "format")
		case FormatUsual:
			if s["format"] = usualName(format, a.valibot); hasPattern(s) {
				delete(s, "format")
			}
		}
	}
	if items, ok := s["items"].([]any); ok && len(items) > 0 {
		a.tuples = true
	}
	if _, ok := s["prefixItems"]; ok {
		a.prefixes = true
	}
	for keyword, value := range s {
		switch keyword {
		case "const", "enum", "default", "examples", "required", "dependentRequired":
		case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies":
			members, _ := value.(object)
			for _, member := range members {
				a.value(member)
			}
		default:
			a.value(value)
		}
	}
}

// hasPattern reports whether a pattern defines the strings of a schema.
func hasPattern(s object) bool {
	if _, ok := s["pattern"].(string); ok {
		return true
	}
	all, _ := s["allOf"].([]any)
	for _, one := range all {
		if part, ok := one.(object); ok && hasPattern(part) {
			return true
		}
	}
	return false
}

// isFile reports whether a schema is one that zod emits for z.file(): the bytes of a file, which
// JSON cannot have.
func isFile(s object) bool {
	return s["type"] == "string" && s["format"] == "binary" && s["contentEncoding"] == "binary"
}

// fileSchema is the schema of the object for an uploaded file in an input. The size and the type
// of the file are not known before it is read.
func fileSchema() object {
	file := object{"enum": []any{"File"}} // all drafts have this keyword
	return object{
		"type":                 "object",
		"properties":           object{"$runnerFile": file, "$ejson": file, "id": object{"type": "string"}, "meta": object{"type": "object"}},
		"required":             []any{"id"},
		"anyOf":                []any{object{"required": []any{"$runnerFile"}}, object{"required": []any{"$ejson"}}},
		"additionalProperties": false,
	}
}
