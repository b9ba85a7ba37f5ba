package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/bluelibs/go-tunnel/protocol"
)

// DefaultMaxResponse is the largest JSON answer accepted unless configured, in bytes.
const DefaultMaxResponse = 16 << 20

// Config configures a Client. Its zero value is valid. New copies it; do not change the values
// that it refers to afterwards.
type Config struct {
	// Token is sent with every request. Empty sends none.
	Token string
	// TokenHeader is the header that carries the token. Empty means
	// protocol.HeaderToken, "x-runner-token".
	TokenHeader string
	// HTTPClient sends the requests. Its CheckRedirect is not used, since redirects are never
	// followed. Nil means a client with http.DefaultTransport.
	HTTPClient *http.Client
	// Codec encodes inputs and decodes results. Nil means plain JSON by goccy/go-json, with the
	// rules of encoding/json: values that JSON lacks, such as a Date or an undefined member, are
	// then objects with a __type and a value.
	Codec protocol.Codec
	// Header is sent with every request. Headers of the protocol have precedence.
	Header http.Header
	// MaxResponse is the size of a JSON answer in bytes, counted after decompression.
	// Streams have no limit. Zero or negative means DefaultMaxResponse (16 MiB).
	MaxResponse int64
}

// Client calls one server. New makes a Client. It is safe for concurrent use.
type Client struct {
	base        string
	http        http.Client
	header      http.Header
	token       string
	codec       protocol.Codec
	maxResponse int64
}

// New returns a client of the server whose base path is at baseURL, such as
// "https://example.com/__runner". It returns an error if baseURL is invalid.
func New(baseURL string, cfg Config) (*Client, error) {
	base, err := parseBaseURL(baseURL)
	if err != nil {
		return nil, err
	}
	c := &Client{
		base:        base,
		header:      cfg.Header.Clone(),
		token:       cfg.Token,
		codec:       cfg.Codec,
		maxResponse: cfg.MaxResponse,
	}
	if cfg.HTTPClient != nil {
		c.http = *cfg.HTTPClient
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if c.header == nil {
		c.header = make(http.Header)
	}
	if cfg.Token != "" {
		name := cfg.TokenHeader
		if name == "" {
			name = protocol.HeaderToken
		}
		c.header.Set(name, latin1(cfg.Token))
	}
	if c.codec == nil {
		c.codec = plainJSON{}
	}
	if c.maxResponse <= 0 {
		c.maxResponse = DefaultMaxResponse
	}
	return c, nil
}

// parseBaseURL returns the URL to which paths are appended. Its error does not contain the URL,
// which may have a password.
func parseBaseURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return "", fmt.Errorf("client: bad base URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("client: a base URL must have the scheme http or https, a host and a path only")
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(u.EscapedPath(), "/"), nil
}

// latin1 encodes s for a header as JavaScript clients do, and a Node.js server compares: in
// Latin-1 if that has all characters, otherwise in UTF-8.
func latin1(s string) string {
	var b []byte
	for _, r := range s {
		if r > 0xff {
			return s
		}
		b = append(b, byte(r))
	}
	return string(b)
}
