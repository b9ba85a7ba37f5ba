// Command jwt lets callers in by a JSON Web Token, and knows who they are:
//
//	go run ./examples/jwt -mint ada          # prints a token that is good for an hour
//	go run ./examples/jwt
//	curl -X POST http://127.0.0.1:7070/__runner/task/app.tasks.whoami -H "authorization: Bearer $TOKEN"
//
// Each caller may make five calls a second. The static token of the other examples works
// as well: Config.Authenticate decides about callers without one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bluelibs/go-tunnel/examples/internal/serve"
	"github.com/bluelibs/go-tunnel/protocol"
	"github.com/bluelibs/go-tunnel/protocol/ratelimit"
	"github.com/bluelibs/go-tunnel/standalone"

	tunnel "github.com/bluelibs/go-tunnel"
)

// What a token must say, beside who its subject is.
const (
	issuer   = "https://login.example.com"
	audience = "go-tunnel"
)

// identity is what tasks learn about their caller.
type identity struct{ Subject string }

// authenticate returns a function for tunnel.Config.Authenticate. The parser takes one
// algorithm only, so that no token chooses how it is checked, and none that never ends.
func authenticate(key []byte) func(r *http.Request) (any, error) {
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithLeeway(30*time.Second),
	)
	return func(r *http.Request) (any, error) {
		scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return nil, errors.New("no bearer token") // any error means 401
		}
		var claims jwt.RegisteredClaims
		if _, err := parser.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
			return nil, err
		}
		if claims.Subject == "" {
			return nil, errors.New("a token without a subject")
		}
		return identity{Subject: claims.Subject}, nil
	}
}

// subject returns who makes a call, empty for one with the static token.
func subject(call *protocol.Call) string {
	caller, _ := call.Identity.(identity)
	return caller.Subject
}

func newRegistry() *standalone.Registry {
	registry := standalone.NewRegistry()
	standalone.Task(registry, "app.tasks.add", func(_ context.Context, in struct{ A, B float64 }) (float64, error) {
		return in.A + in.B, nil
	})
	standalone.Task(registry, "app.tasks.whoami", func(ctx context.Context, _ any) (string, error) {
		return subject(standalone.CallFrom(ctx)), nil
	})
	return registry
}

// mint makes a token as a login service would.
func mint(key []byte, subject string, lifetime time.Duration) (string, error) {
	now := time.Now()
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: subject,
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(lifetime)),
	}).SignedString(key)
}

func main() {
	flags := serve.Register("", "")
	flags.Try = "curl -X POST URL/task/app.tasks.whoami TOKEN"
	key := flag.String("key", "an example's key is no secret: give your own", "`key` that tokens are signed with")
	mintFor := flag.String("mint", "", "print a token for a `subject` and exit")
	flag.Parse()
	if err := run(flags, []byte(*key), *mintFor); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(flags *serve.Flags, key []byte, mintFor string) error {
	if mintFor != "" {
		token, err := mint(key, mintFor, time.Hour)
		fmt.Println(token)
		return err
	}
	limiter := ratelimit.New(ratelimit.Config{PerKey: ratelimit.Limit{PerSecond: 5, Burst: 10}, Key: subject})
	config := flags.Config()
	config.Authenticate = authenticate(key)
	config.Middleware = []tunnel.Middleware{tunnel.Check(limiter.Check)}
	return flags.Run(serve.Context(), tunnel.New(newRegistry(), config))
}
