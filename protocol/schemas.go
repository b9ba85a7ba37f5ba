package protocol

import (
	"bytes"
	"encoding/json"
)

// Schemas has the JSON Schemas of the inputs of tasks and of the payloads of events, by id.
// Each is one valid JSON document. Do not change Schemas after you have passed it on.
type Schemas struct {
	Tasks  map[string]json.RawMessage `json:"tasks"`
	Events map[string]json.RawMessage `json:"events"`
}

// Describe returns the document of Discovery with another member, "schemas", which has the schemas
// of the ids on the list. Clients that do not know the member ignore it.
func (a *AllowList) Describe(s Schemas) ([]byte, error) {
	listed := Schemas{Tasks: a.onlyAllowed(KindTask, s.Tasks), Events: a.onlyAllowed(KindEvent, s.Events)}
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

func (a *AllowList) onlyAllowed(kind Kind, schemas map[string]json.RawMessage) map[string]json.RawMessage {
	listed := map[string]json.RawMessage{}
	for id, schema := range schemas {
		if a.Allows(kind, id) {
			listed[id] = schema
		}
	}
	return listed
}
