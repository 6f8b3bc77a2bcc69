# The habits of this project. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# The images' tag and place, and where their binaries are from: words of images/*.sh.
export TAG REGISTRY BINARIES

# Always --workspace, narrowed by target and not by package: cargo then chooses the features of dependencies once, and each is
# compiled once. The one exception: spans go out by a client without TLS, which the whole workspace's features would give it.

# Where `make run` puts its archive and results.
RUN_DIR ?= run

.PHONY: help setup run test test-api test-browser cluster cluster-down e2e check deny crds reference bench \
	bench-operator bench-cluster bench-prores bench-queue chart-files manifests-check images images-sizes push fmt clean \
	accuracy test-python bench-frames bench-worker bench-tracking fuzz bench-plan flamegraphs

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing (Debian, Ubuntu), or say what is
	@./setup.sh

run: setup ## render a small archive, serve it, analyse it, name the results
	cargo build --release --workspace --bin archive --bin analysis-worker
	@./e2e/quickstart.sh "$(RUN_DIR)"

test: ## every test that needs no cluster
	@./setup.sh test
	cargo test --release --workspace
	cargo test --release -p analysis-operator --features otlp --test otlp

test-api: ## the tests on a real API server, built from Go modules (needs Go)
	@./setup.sh test-api
	cargo test --release --workspace --test control_plane --test crd --test admission --test operator

cluster: ## start a real one-node Kubernetes on this machine (root, Linux) and print its KUBECONFIG
	@./setup.sh test-cluster
	@e2e/cluster/up.sh

cluster-down: ## stop it and leave the machine as it was
	@e2e/cluster/down.sh

e2e: setup ## the tests on a real cluster: KUBECONFIG's, else an own node
	@e2e/e2e.sh

test-browser: setup ## the pages of lazycache and the report in a headless Chromium (Debian: apt-get install chromium)
	@command -v chromium >/dev/null || { echo "test-browser: chromium is missing. Mend: apt-get install chromium" >&2; exit 69; }
	cargo test --release --workspace --test browser -- --ignored

# Its packages, in the versions of worker/tests/requirements.txt.
PYTHON_ENV ?= target/python

test-python: setup ## what docs/results.md says of Python: pandas, Frictionless Data (Debian: apt-get install python3-venv)
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { echo "test-python: python3 or its venv is missing. Mend: apt-get install python3-venv" >&2; exit 69; }
	@[ $(PYTHON_ENV)/.made -nt worker/tests/requirements.txt ] || { rm -rf $(PYTHON_ENV) && python3 -m venv $(PYTHON_ENV) && \
		$(PYTHON_ENV)/bin/pip install --quiet --disable-pip-version-check -r worker/tests/requirements.txt && touch $(PYTHON_ENV)/.made; }
	ANALYSIS_TEST_PYTHON=$(abspath $(PYTHON_ENV))/bin/python cargo test --release --workspace --test python -- --ignored

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

reference: ## write docs/reference/ and docs/schemas/ from the code
	WRITE_REFERENCE=1 cargo test --release --quiet --workspace --test reference --test schemas

accuracy: ## measure motion against the truth of rendered pairs and movies, write docs/accuracy.md (needs libopencv-contrib-dev)
	cargo bench --workspace --features motion/tvl1 --bench accuracy -- --write

bench: bench-operator bench-prores bench-queue bench-cluster bench-frames bench-worker bench-plan ## every benchmark; the figures go to docs/benchmarks.md

bench-operator: ## reconciles, memory, sizes and failover of the operator against a mocked API
	cargo bench -p analysis-operator --bench operator

bench-cluster: ## from apply to the first worker, overhead over a bare Job, weight, on a real cluster (as make e2e)
	@e2e/e2e.sh --bench

bench-queue: ## pace, latency and tail of strategy Queue, with a real Redis on this machine
	@./setup.sh test
	cargo bench -p queue --bench list

bench-prores: ## decoding of ProRes frames, reduced and whole, beside FFmpeg's full decode and area scaling, ms a frame
	cargo bench -p prores --bench reduced

bench-frames: ## lazycache's frames beside FFmpeg's bare decode and a static file server: cost, latency, archive, memory
	cargo bench --workspace --bench frames

bench-plan: ## seconds and memory of plans of 30,000 and of 1,000,000 movies, nothing and all of them done (needs 10 GB in /tmp)
	cargo bench --workspace --bench plan

flamegraphs: ## where a worker's and lazycache's time goes, into docs/profiles/ (needs perf, inferno)
	cargo build --release --workspace --bin archive --bin analysis-worker --bin lazycache
	@e2e/flamegraphs.sh "$(RUN_DIR)"

fuzz: setup ## every parser of foreign bytes against random ones, with a sanitizer [SECONDS=120 each] (cargo install cargo-fuzz)
	@cache/fuzz/run.sh $(or $(SECONDS),120)

bench-tracking: ## processor time of a pair, step by step, beside the original method (needs libopencv-contrib-dev)
	cargo bench --workspace --features motion/tvl1 --bench tracking

bench-worker: ## what a movie costs a worker, and how fast it is alone and through lazycache, beside the original method (needs libopencv-contrib-dev)
	cargo bench --workspace --features motion/tvl1 --bench worker

fmt: ## format the code
	cargo fmt --all

chart-files: ## copy into the chart what it shares with crds/ and manifests/
	cp crds/analysisjobs.camhd.science.yaml manifests/components/api/user-roles.yaml \
		manifests/components/operator/role.yaml manifests/components/workspace/network-policies.yaml \
		manifests/components/monitoring/prometheus-rule.yaml manifests/components/monitoring/dashboards/analysis-jobs.json chart/files/

manifests-check: ## build, validate and test manifests/ and chart/ (needs Go; no cluster, no Rust)
	@./e2e/manifests-check/run.sh

images: ## build the images [TAG= REGISTRY= BINARIES=target/release], see docs/images.md
	@./images/build.sh

images-sizes: ## what the images weigh, compressed
	@./images/sizes.sh

push: ## push the images to REGISTRY= [TAG=]
	@./images/push.sh

clean: ## remove what `make run` and the builds made
	rm -rf target "$(RUN_DIR)"
