package schema

import "github.com/santhosh-tekuri/jsonschema/v6"

func (o *Options) formats() []*jsonschema.Format { return nil }
