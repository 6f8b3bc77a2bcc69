#!/usr/bin/env bash
# The tests on a real cluster: builds binaries and images, starts a one-node Kubernetes on this machine, runs every test
# of `e2e/tests/cluster` and `e2e/tests/install` (or those whose names hold one of the words given), stops the node.
#   e2e/e2e.sh [WORD…]
# KUBECONFIG    a cluster to use instead of an own node; its nodes must be able to pull the images (see E2E_REGISTRY)
# E2E_REGISTRY  where the images are in that cluster, such as registry.example.org/video-analysis
# E2E_TAG       their tag; default: e2e
# E2E_KEEP=1    leaves the node up, for someone to look at
# What a failed test left behind is in target/e2e/failed/NAMESPACE.
set -euo pipefail
cd "$(dirname "$0")/.."

export E2E_TAG=${E2E_TAG:-e2e}

stage() {
    local name=$1 start=$SECONDS
    shift
    "$@"
    echo "e2e: $name: $((SECONDS - start)) s"
}

build() {
    cargo build --release -p analysis-operator -p analysis-worker -p lazycache -p archive
    cargo test --release -p e2e --no-run
}

start_node() {
    E2E_KUBECONFIG=$(e2e/cluster/up.sh)
    export E2E_KUBECONFIG
    images/archives.sh target/e2e/images "$E2E_TAG"
    e2e/cluster/load.sh target/e2e/images/*.tar
}

stop_node() {
    [ -n "${E2E_KEEP:-}" ] && echo "e2e: the node is still up: export KUBECONFIG=$E2E_KUBECONFIG; e2e/cluster/down.sh stops it" && return
    e2e/cluster/down.sh
}

run_tests() {
    local binary failed=0
    for binary in install cluster; do
        cargo test --release -p e2e --test "$binary" -- --ignored --test-threads="${E2E_THREADS:-3}" "$@" || failed=1
    done
    return "$failed"
}

rm -rf target/e2e/failed
stage build build
if [ -n "${KUBECONFIG:-}" ]; then
    export E2E_KUBECONFIG=$KUBECONFIG
else
    ./setup.sh test-cluster
    trap stop_node EXIT
    stage "node and images" start_node
fi
stage tests run_tests "$@" || {
    [ ! -d target/e2e/failed ] || echo "e2e: what the failed tests left is in $(find target/e2e/failed -mindepth 1 -maxdepth 1 | tr '\n' ' ')" >&2
    exit 1
}
