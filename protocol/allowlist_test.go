package protocol

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAllowList(t *testing.T) {
	tasks := []string{"z", "a", "z", "<&>", ""}
	list := NewAllowList(tasks, []string{"e"})
	tasks[0] = "changed afterwards"

	assert.True(t, list.Allows(KindTask, "z"))
	assert.True(t, list.Allows(KindTask, "<&>"))
	assert.True(t, list.Allows(KindEvent, "e"))
	assert.False(t, list.Allows(KindEvent, "z"), "tasks and events are apart")
	assert.False(t, list.Allows(KindTask, "e"), "tasks and events are apart")
	assert.False(t, list.Allows(KindTask, "Z"))
	assert.Equal(t, []string{"", "<&>", "a", "z"}, list.IDs(KindTask))
	assert.Equal(t, []string{"e"}, list.IDs(KindEvent))
	assert.Equal(t, `{"allowList":{"enabled":true,"tasks":["z","a","<&>",""],"events":["e"]}}`, string(list.Discovery()))
}

func TestEmptyAllowList(t *testing.T) {
	list := NewAllowList(nil, nil)
	assert.False(t, list.Allows(KindTask, ""))
	assert.Empty(t, list.IDs(KindTask))
	assert.Equal(t, `{"allowList":{"enabled":true,"tasks":[],"events":[]}}`, string(list.Discovery()))
}

func TestNilAllowListIsClosed(t *testing.T) {
	var list *AllowList
	assert.False(t, list.Allows(KindTask, "a"))
	assert.Nil(t, list.IDs(KindEvent))
	assert.Equal(t, `{"allowList":{"enabled":false,"tasks":[],"events":[]}}`, string(list.Discovery()))
}

func TestAliases(t *testing.T) {
	aliases := map[string]string{"a": "app.a", "e": "app.e", "b": "app.b", "app.c": "app.a"}
	list := NewAllowList([]string{"app.a", "app.c"}, []string{"app.e"}).WithAliases(aliases)
	aliases["c"] = "app.c"
	for id, want := range map[string]string{"a": "app.a", "app.a": "app.a", "app.c": "app.c", "b": "b", "c": "c", "e": "e", "": ""} {
		assert.Equal(t, want, list.Resolve(KindTask, id), id)
	}
	assert.Equal(t, "app.e", list.Resolve(KindEvent, "e"))
	assert.Equal(t, "a", list.Resolve(KindEvent, "a"))
	assert.False(t, list.Allows(KindTask, "a"), "only who resolves it finds it")
	assert.Equal(t, `{"allowList":{"enabled":true,"tasks":["app.a","app.c"],"events":["app.e"]}}`, string(list.Discovery()))

	var closed *AllowList
	assert.Nil(t, closed.WithAliases(aliases))
	assert.Nil(t, closed.Aliases())
	assert.Equal(t, "a", closed.Resolve(KindTask, "a"))
	assert.Equal(t, "a", NewAllowList(nil, nil).Resolve(KindTask, "a"))
}
