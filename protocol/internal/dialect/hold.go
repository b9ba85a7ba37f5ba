package dialect

import "reflect"

// Hold reports whether the type that pointer points to can contain a value of a type that own
// accepts, other than in an any.
func (t *Types) Hold(pointer any, own func(reflect.Type) bool) bool {
	typ := reflect.TypeOf(pointer)
	if known, ok := t.holds.Load(typ); ok {
		return known.(bool)
	}
	held := hold(typ, own, make(map[reflect.Type]bool))
	t.holds.Store(typ, held)
	return held
}

func hold(typ reflect.Type, own func(reflect.Type) bool, seen map[reflect.Type]bool) bool {
	switch {
	case typ == nil || seen[typ]:
		return false
	case own(typ):
		return true
	}
	seen[typ] = true
	switch typ.Kind() {
	case reflect.Map:
		return hold(typ.Key(), own, seen) || hold(typ.Elem(), own, seen)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return hold(typ.Elem(), own, seen)
	case reflect.Struct:
		for i := range typ.NumField() {
			if hold(typ.Field(i).Type, own, seen) {
				return true
			}
		}
	}
	return false
}
