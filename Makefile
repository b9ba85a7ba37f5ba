.PHONY: help all fmt vet lint vuln test race front runner6 nested runtimes publish fuzz smoke bench

STATICCHECK = go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = go run golang.org/x/vuln/cmd/govulncheck@v1.9.0
OLDEST_GO = go$(shell go list -m -f '{{.GoVersion}}')
ACTIONLINT = go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
FUZZTIME ?= 30s
NESTED = protocol/metrics protocol/tracing examples/observability examples/frameworks

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

all: fmt vet lint vuln test race smoke nested runtimes ## what CI checks

fmt: ## fail if gofmt would change a file
	@files=$$(gofmt -l .); test -z "$$files" || { echo "gofmt would change:"; echo "$$files"; exit 1; }

vet: ## go vet, with the oldest Go and for 32 bits too, and a build for the platforms with files of their own
	go vet ./...
	GOTOOLCHAIN=$(OLDEST_GO) go vet ./...
	CGO_ENABLED=0 GOARCH=386 go vet ./...
	GOOS=darwin go build ./...
	GOOS=windows go build ./...

lint: ## staticcheck, and actionlint for the workflows
	$(STATICCHECK) ./...
	$(ACTIONLINT) -shellcheck= -pyflakes=

vuln: ## govulncheck, as long as its database can be reached
	@if out=$$($(GOVULNCHECK) ./... 2>&1); then echo "$$out"; else \
	  case "$$out" in *"fetching vulnerabilities"*) echo "not checked: $$out";; *) echo "$$out"; exit 1;; esac; fi

test: ## all tests, with Node.js and the Runner clients
	go test ./...

race: ## the same under the race detector
	go test -race ./...

front: ## the tests of servers with a front before each, and 100,000 cuts of requests
	FRONT=1 go test -count=1 . ./tests/...
	CUTS=100000 go test -race -count=1 -run Torn ./protocol/http1

runner6: ## the tests with Runner 6: RUNNER6 is the node_modules folder that has @bluelibs/runner 6.4.1
	@test -n "$(RUNNER6)" || { echo "RUNNER6 names no folder"; exit 1; }
	RUNNER6=$(RUNNER6) go test -count=1 ./tests/runner6 ./tests/differential -run 'Runner6|Differential6|GoClientOnLanes'

nested: export GOWORK = $(CURDIR)/.ci/go.work
nested: ## all of that for the other modules of this repository
	@for module in $(NESTED); do \
	  (cd $$module && go vet ./... && $(STATICCHECK) ./... && go test -race -count=1 ./...) || exit 1; \
	done

publish: ## the slow half of what consumers do: 32 bits, other systems, bundlers and package managers
	CGO_ENABLED=0 GOARCH=386 go test -count=1 . ./ipc/... ./protocol/... ./standalone
	for system in linux/arm freebsd/amd64; do CGO_ENABLED=0 GOOS=$${system%/*} GOARCH=$${system#*/} go build ./... || exit 1; done
	PUBLISH=1 go test -count=1 -timeout 30m ./tests/publish

runtimes: ## the checks of workers on the newest Node.js, Bun and Deno, which npm installs
	.ci/runtimes

fuzz: ## every fuzz target for FUZZTIME
	@for pkg in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg || exit 1; \
	  done; \
	done

smoke: ## every fuzz target, a few inputs each
	@$(MAKE) --no-print-directory fuzz FUZZTIME=2000x

bench: ## every benchmark
	go test -run '^$$' -bench . ./...
