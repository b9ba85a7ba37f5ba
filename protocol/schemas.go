package protocol

import (
	"bytes"
	"encoding/json"
)

// Schemas are JSON Schemas by id: of the inputs of tasks and of the payloads of events.
// Each is one valid JSON document. It must not be changed after it was passed on.
type Schemas struct {
	Tasks  map[string]json.RawMessage `json:"tasks"`
	Events map[string]json.RawMessage `json:"events"`
}

// Describe returns what Discovery does with one more member, "schemas", which has the
// schemas of the ids on the list. Clients that do not know it ignore it.
func (a *AllowList) Describe(s Schemas) ([]byte, error) {
	listed := Schemas{Tasks: a.among(KindTask, s.Tasks), Events: a.among(KindEvent, s.Events)}
	var doc bytes.Buffer
	doc.Write(bytes.TrimSuffix(a.Discovery(), []byte("}")))
	doc.WriteString(`,"schemas":`)
	schemas := json.NewEncoder(&doc) // encoding/json checks them once more
	schemas.SetEscapeHTML(false)
	if err := schemas.Encode(listed); err != nil {
		return nil, err
	}
	return append(bytes.TrimSpace(doc.Bytes()), '}'), nil
}

func (a *AllowList) among(kind Kind, schemas map[string]json.RawMessage) map[string]json.RawMessage {
	listed := map[string]json.RawMessage{}
	for id, schema := range schemas {
		if a.Allows(kind, id) {
			listed[id] = schema
		}
	}
	return listed
}
