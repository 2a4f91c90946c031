# make lists the targets. Everything that is built or installed here stays in bin/ and .cache/.

BIN        := $(CURDIR)/.cache/bin
VENVS      := $(CURDIR)/.cache/venv
PACKAGES   ?= ./...
TIMEOUT    ?= 40m
FUZZTIME   ?= 5s
BENCH      ?= .
DEMO_ARGS  ?=
PLAYS      ?= 10000000
FILES      ?= 10
RUNS       ?= 5
SPARK      ?=
HISTORIES  ?= 3000

VERSITYGW   := v1.8.0
STATICCHECK := v0.8.2

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
DATE    := $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X mss/internal/cli.version=$(VERSION) -X mss/internal/cli.commit=$(COMMIT) -X mss/internal/cli.date=$(DATE)

.DEFAULT_GOAL := help
.PHONY: help demo build test test-tools test-readers test-statements test-histories readers-tools lint lint-tools check fuzz bench bench-peers clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## build mss and run it on made-up data, into demo/ (DEMO_ARGS="--plays 1000000")
	bin/mss demo $(DEMO_ARGS)

# The version is stamped by the linker, so that Go's own look at the repository is not needed.
build: ## build bin/mss, a static binary
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/mss ./cmd/mss

test: test-tools ## run all tests, with a real PostgreSQL and a real S3 server
	go test -count=1 -timeout $(TIMEOUT) $(PACKAGES)

# PostgreSQL comes from the system's packages, the S3 server is built from source.
test-tools: ## install what the tests need: PostgreSQL (apt), versitygw
	@$(call aptinstall,PostgreSQL,command -v initdb || ls /usr/lib/postgresql/*/bin/initdb,postgresql)
	@$(call goinstall,github.com/versity/versitygw/cmd/versitygw,$(VERSITYGW))

test-readers: build readers-tools ## check that pyarrow, DuckDB, Polars, parquet-go and Spark read our Parquet alike
	$(VENVS)-readers/bin/python test/readers/readers.py bin/mss .cache/readers

# Spark needs a Java runtime.
readers-tools:
	@$(call aptinstall,Java,command -v java,default-jre-headless)
	@$(call venv,$(VENVS)-readers,test/readers/requirements.txt)

test-statements: ## check that the statements for Redshift are SQL to grammars of Redshift
	@$(call venv,$(VENVS)-statements,test/statements/requirements.txt)
	PYTHONDONTWRITEBYTECODE=1 $(VENVS)-statements/bin/python test/statements/statements.py internal/redshift/testdata/redshift_statements.sql

test-histories: ## play 3000 random histories of a lake (HISTORIES=3000); make test plays 200
	MSS_TEST_HISTORIES=$(HISTORIES) go test -count=1 -timeout 2h -run TestHistories ./internal/pipeline

lint: lint-tools ## gofmt, go vet, staticcheck
	@files=$$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 gofmt -l) && \
		if [ -n "$$files" ]; then echo "gofmt would change:" $$files; exit 1; fi
	go vet -tags=readers $(PACKAGES)
	$(BIN)/staticcheck -tags=readers $(PACKAGES)

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

# Spark, which SPARK=1 adds, is that of test-readers.
bench-peers: build $(if $(SPARK),readers-tools) ## measure mss beside DuckDB and Polars (PLAYS=10000000 FILES=10 RUNS=5 SPARK=1)
	@$(call venv,$(VENVS)-peers,bench/peers/requirements.txt)
	PYTHONDONTWRITEBYTECODE=1 $(VENVS)-peers/bin/python bench/peers/compare.py bin/mss .cache/bench-peers \
		--plays $(PLAYS) --files $(FILES) --runs $(RUNS) $(if $(SPARK),--spark $(VENVS)-readers/bin/python)

clean: ## remove bin/, demo/ and .cache/
	rm -rf bin demo .cache

# goinstall builds one pinned tool into .cache/bin, unless that version is there already.
define goinstall
set -e; tool=$(BIN)/$(notdir $(1)); stamp=$$tool.$(2); \
if [ -x "$$tool" ] && [ -e "$$stamp" ]; then echo "$(notdir $(1)) $(2) is there"; else \
	echo "building $(notdir $(1)) $(2)"; mkdir -p $(BIN); rm -f "$$tool".*; \
	GOBIN=$(BIN) go install $(1)@$(2); touch "$$stamp"; fi
endef

# aptinstall makes sure of a thing, which a command finds, by a package of the system.
define aptinstall
if { $(2); } >/dev/null 2>&1; then echo "$(1) is there"; else \
	echo "installing $(1)"; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	$$sudo apt-get update -q </dev/null && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(3) </dev/null; fi
endef

# venv makes a throw-away virtual environment with the Python packages of a list, unless the one that is there has just these.
define venv
$(call aptinstall,python3-venv,python3 -c 'import ensurepip',python3-venv) && \
if cmp -s $(2) $(1)/requirements.txt; then echo "$(notdir $(1)) is there"; else \
	echo "making $(notdir $(1))"; rm -rf $(1) && python3 -m venv $(1) && \
	$(1)/bin/python -m pip install -q --disable-pip-version-check -r $(2) && cp $(2) $(1)/requirements.txt; fi
endef
