# make lists the targets. Everything that is built or installed here stays in bin/ and .cache/.

BIN        := $(CURDIR)/.cache/bin
PACKAGES   ?= ./...
TIMEOUT    ?= 40m
FUZZTIME   ?= 5s
BENCH      ?= .
DEMO_ARGS  ?=

VERSITYGW   := v1.8.0
STATICCHECK := v0.8.2

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
DATE    := $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X mss/internal/cli.version=$(VERSION) -X mss/internal/cli.commit=$(COMMIT) -X mss/internal/cli.date=$(DATE)

.DEFAULT_GOAL := help
.PHONY: help demo build test test-tools lint lint-tools check fuzz bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## build mss and run it on made-up data, into demo/ (DEMO_ARGS="--plays 1000000")
	bin/mss demo $(DEMO_ARGS)

# The version is stamped by the linker, so that Go's own look at the repository is not needed.
build: ## build bin/mss, a static binary
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/mss ./cmd/mss

test: test-tools ## run all tests, with a real PostgreSQL and a real S3 server
	go test -count=1 -timeout $(TIMEOUT) $(PACKAGES)

# PostgreSQL comes from the system's packages, the S3 server is built from source.
test-tools: ## install what the tests need: PostgreSQL (apt), versitygw
	@if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then \
		echo "PostgreSQL is there"; \
	else \
		echo "installing PostgreSQL"; \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		$$sudo apt-get update -q </dev/null && \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql </dev/null; \
	fi
	@$(call goinstall,github.com/versity/versitygw/cmd/versitygw,$(VERSITYGW))

lint: lint-tools ## gofmt, go vet, staticcheck
	@files=$$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 gofmt -l) && \
		if [ -n "$$files" ]; then echo "gofmt would change:" $$files; exit 1; fi
	go vet $(PACKAGES)
	$(BIN)/staticcheck $(PACKAGES)

lint-tools:
	@$(call goinstall,honnef.co/go/tools/cmd/staticcheck,$(STATICCHECK))

check: lint test ## lint and test, and fail when the tree is not clean afterwards
	@if [ -n "$$(git status --porcelain)" ]; then echo "the tree is not clean:"; git status --short; exit 1; fi

fuzz: ## run each fuzz test for FUZZTIME (5s)
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' . | sort | while read -r file; do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "fuzz $$name in $$(dirname "$$file")"; \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")"; \
		done; \
	done

bench: ## run the benchmarks (BENCH=regexp picks some)
	go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 2h $(PACKAGES)

clean: ## remove bin/, demo/ and .cache/
	rm -rf bin demo .cache

# goinstall builds one pinned tool into .cache/bin, unless that version is there already.
define goinstall
set -e; tool=$(BIN)/$(notdir $(1)); stamp=$$tool.$(2); \
if [ -x "$$tool" ] && [ -e "$$stamp" ]; then echo "$(notdir $(1)) $(2) is there"; else \
	echo "building $(notdir $(1)) $(2)"; mkdir -p $(BIN); rm -f "$$tool".*; \
	GOBIN=$(BIN) go install $(1)@$(2); touch "$$stamp"; fi
endef
