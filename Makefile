# make lists the targets. What is built or installed here stays in bin/, dist/ and .cache/, but for packages of the system (apt).

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
NFPM        := v2.45.2
CYCLONEDX   := v1.10.0

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
DATE    := $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X mss/internal/cli.version=$(VERSION) -X mss/internal/cli.commit=$(COMMIT) -X mss/internal/cli.date=$(DATE)

# Packages want a version that begins with a digit and has no hyphens: a tag's, else 0.0.0+ and the commit.
PACKAGE_VERSION ?= $(shell echo '$(VERSION)' | sed 's/^v\([0-9]\)/\1/; /^[0-9]*\.[0-9]/!s/^/0.0.0+/' | tr - .)
DIST := $(CURDIR)/dist

.DEFAULT_GOAL := help
.PHONY: help demo build test test-tools test-readers test-statements test-histories test-kills readers-tools test-deploy package package-tools test-package lint lint-tools check fuzz bench bench-peers clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## build mss and run it on made-up data, into demo/ (DEMO_ARGS="--plays 1000000")
	bin/mss demo $(DEMO_ARGS)

# The version is stamped by the linker, so that Go's own look at the repository is not needed.
build: ## build bin/mss, a static binary
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/mss ./cmd/mss

# Nothing is fetched that the module cache has. SOURCE_DATE_EPOCH makes the packages of a commit the same, bit by bit.
package: package-tools ## build static binaries, .deb, .rpm, SBOMs and checksums for amd64 and arm64, into dist/
	rm -rf $(DIST) && mkdir -p $(DIST)
	@set -e; for arch in amd64 arm64; do \
		echo "building mss-linux-$$arch $(PACKAGE_VERSION)"; \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $(DIST)/mss-linux-$$arch ./cmd/mss; \
		$(BIN)/cyclonedx-gomod bin -json -noserial -notimestamp -std -version '$(VERSION)' -output $(DIST)/mss-linux-$$arch.cdx.json $(DIST)/mss-linux-$$arch 2>/dev/null; \
		for kind in deb rpm; do \
			ARCH=$$arch DIST=$(DIST) PACKAGE_VERSION='$(PACKAGE_VERSION)' SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) \
				$(BIN)/nfpm package --config deploy/package/nfpm.yaml --packager $$kind --target $(DIST) >/dev/null; \
		done; \
	done
	cd $(DIST) && sha256sum * >SHA256SUMS && ls -l

package-tools:
	@$(call goinstall,github.com/goreleaser/nfpm/v2/cmd/nfpm,$(NFPM))
	@$(call goinstall,github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod,$(CYCLONEDX))

test-package: package ## look at the packages as whoever installs them would find them
	@$(call aptinstall,rpm,command -v rpm,rpm)
	@$(call aptinstall,file,command -v file,file)
	@$(call aptinstall,systemd-analyze,command -v systemd-analyze,systemd)
	test/package/check.sh $(DIST)

test: test-tools ## run all tests, with a real PostgreSQL and a real S3 server
	go test -count=1 -timeout $(TIMEOUT) $(PACKAGES)

# PostgreSQL comes from the system's packages, the S3 server is built from source, the stand-in for AWS is Python's.
test-tools: ## install what the tests need: PostgreSQL (apt), versitygw, moto (pip)
	@$(call aptinstall,PostgreSQL,command -v initdb || ls /usr/lib/postgresql/*/bin/initdb,postgresql)
	@$(call goinstall,github.com/versity/versitygw/cmd/versitygw,$(VERSITYGW))
	@$(call venv,$(VENVS)-aws,test/aws/requirements.txt)

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

test-deploy: ## check the CloudFormation template with cfn-lint, and deploy/ against what mss does
	@$(call venv,$(VENVS)-aws,test/aws/requirements.txt)
	$(VENVS)-aws/bin/cfn-lint --non-zero-exit-code informational -- deploy/mss.yaml
	go test -count=1 ./deploy

test-kills: test-tools ## kill the program at every request to S3, before and after; make test kills at some
	MSS_TEST_KILLS=all go test -count=1 -timeout 2h -v -run TestKilledOnS3 ./internal/e2e

lint: lint-tools ## gofmt, go vet (for macOS too), staticcheck
	@files=$$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 gofmt -l) && \
		if [ -n "$$files" ]; then echo "gofmt would change:" $$files; exit 1; fi
	go vet -tags=readers $(PACKAGES)
	GOOS=darwin GOARCH=arm64 go vet ./cmd/... ./internal/...
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

clean: ## remove bin/, dist/, demo/ and .cache/
	rm -rf bin dist demo .cache

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
