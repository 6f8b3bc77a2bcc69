# The habits of this project. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# Where `make run` puts its archive and results.
RUN_DIR ?= run

.PHONY: help setup run test test-api test-browser check deny crds reference bench bench-operator chart-files manifests-check fmt clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing (Debian, Ubuntu), or say what is
	@./setup.sh

run: setup ## render a small archive, serve it, analyse it, name the results
	cargo build --release -p archive -p analysis-worker
	@./e2e/quickstart.sh "$(RUN_DIR)"

test: setup ## every test that needs no cluster
	cargo test --release --workspace --exclude e2e
	cargo test --release -p analysis-operator --features otlp --test otlp

test-api: ## the tests on a real API server, built from Go modules (needs Go)
	@./setup.sh test-api
	cargo test --release -p e2e

test-browser: setup ## the pages of lazycache in a headless Chromium (Debian: apt-get install chromium)
	@command -v chromium >/dev/null || { echo "test-browser: chromium is missing. Mend: apt-get install chromium" >&2; exit 69; }
	cargo test --release -p lazycache --test browser -- --ignored

check: setup ## formatting, lints, docs
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --quiet

deny: ## licences, duplicates and sources of the dependencies (cargo install cargo-deny)
	cargo deny check licenses bans sources

crds: ## write crds/ from the Rust types
	cargo run --release --quiet -p analysis-operator -- crd > crds/analysisjobs.camhd.science.yaml.new
	mv crds/analysisjobs.camhd.science.yaml.new crds/analysisjobs.camhd.science.yaml
	@$(MAKE) --no-print-directory chart-files

reference: ## write docs/reference/ from the code
	WRITE_REFERENCE=1 cargo test --release --quiet -p analysis-operator --test reference
	WRITE_REFERENCE=1 cargo test --release --quiet -p lazycache --test reference

bench: bench-operator ## every benchmark; the figures go to docs/benchmarks.md

bench-operator: ## reconciles, memory, sizes and failover of the operator against a mocked API
	cargo bench -p analysis-operator --bench operator

fmt: ## format the code
	cargo fmt --all

chart-files: ## copy into the chart what it shares with crds/ and manifests/
	cp crds/analysisjobs.camhd.science.yaml manifests/components/api/user-roles.yaml \
		manifests/components/operator/role.yaml manifests/components/workspace/network-policies.yaml \
		manifests/components/monitoring/prometheus-rule.yaml manifests/components/monitoring/dashboards/analysis-jobs.json chart/files/

manifests-check: ## build, validate and test manifests/ and chart/ (needs Go; no cluster, no Rust)
	@./e2e/manifests-check/run.sh

clean: ## remove what `make run` and the builds made
	rm -rf target "$(RUN_DIR)"
