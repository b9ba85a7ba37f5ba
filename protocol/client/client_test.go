package client_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/bluelibs/go-tunnel/protocol/client"
)

func TestNew(t *testing.T) {
	for _, good := range []string{"http://h", "https://h:1/", "http://h/a%2Fb/", "HTTP://h//", "http://[::1]:80/__runner"} {
		_, err := client.New(good, client.Config{})
		assert.NoError(t, err, good)
	}
	for _, bad := range []string{
		"", "h", "h:80", "/__runner", "ftp://h", "http://", "http:///x", "http://u:hunter2@h", "http://h?x=hunter2", "http://h/#hunter2",
		"http://h:hunter2/", "http://u:hunter2@h:bad/", "http://h/%zz", "http://h\n", "unix:///run/x",
	} {
		_, err := client.New(bad, client.Config{})
		require.Error(t, err, bad)
	}
	_, err := client.New("http://u:hunter2@[h", client.Config{})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestBaseURL(t *testing.T) {
	var got []received
	server := httptest.NewServer(recording(&got, okAnswer))
	defer server.Close()
	for base, path := range map[string]string{
		"": "/task/a", "/": "/task/a", "/__runner": "/__runner/task/a", "/__runner//": "/__runner/task/a", "/a%2Fb/c": "/a%2Fb/c/task/a",
	} {
		got = nil
		require.NoError(t, task("a", 1)(t, newClient(t, server.URL+base)))
		assert.Equal(t, path, got[0].path)
	}
}

func TestTokens(t *testing.T) {
	for _, c := range []struct{ header, token, name, want string }{
		{"", "secret", "X-Runner-Token", "secret"},
		{"authorization", "Bearer x", "Authorization", "Bearer x"},
		{"", "pässword", "X-Runner-Token", "p\xe4ssword"}, // as JavaScript sends it
		{"", "密", "X-Runner-Token", "密"},
		{"", "", "X-Runner-Token", ""},
	} {
		var got []received
		cl := serve(t, recording(&got, okAnswer), func(cfg *client.Config) { cfg.Token, cfg.TokenHeader = c.token, c.header })
		require.NoError(t, task("a", 1)(t, cl))
		assert.Equal(t, c.want, got[0].header.Get(c.name))
	}
}

func TestHeaderIsCopied(t *testing.T) {
	var got []received
	header := http.Header{"X-Own": {"a"}}
	c := serve(t, recording(&got, okAnswer), func(cfg *client.Config) { cfg.Header = header })
	header.Set("X-Own", "b")
	require.NoError(t, task("a", 1)(t, c))
	assert.Equal(t, "a", got[0].header.Get("X-Own"))
	assert.Len(t, header, 1)
}

// A token that cannot stand in a header is not in the text of the error either.
func TestTokenWithLineBreak(t *testing.T) {
	c := newClient(t, "http://127.0.0.1:1", func(cfg *client.Config) { cfg.Token = "hunter\n2" })
	err := task("a", 1)(t, c)
	var transport *client.TransportError
	require.ErrorAs(t, err, &transport)
	assert.NotContains(t, err.Error(), "hunter")
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) }, func(cfg *client.Config) {
			cfg.HTTPClient.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
		})
		for name, call := range calls {
			err := call(t.Context(), c)
			var answer *client.AnswerError
			if assert.ErrorAs(t, err, &answer, name) {
				assert.Equal(t, status, answer.Status, name)
			}
		}
	}
}
