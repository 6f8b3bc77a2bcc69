#!/usr/bin/env bash
# The tests on a real cluster: builds binaries and images, starts a one-node Kubernetes on this machine, runs every test
# of `e2e/tests/cluster` and `e2e/tests/install` (or those whose names hold one of the words given), stops the node.
#   e2e/e2e.sh [WORD…]
#   e2e/e2e.sh --bench     measures instead: `make bench-cluster`
# KUBECONFIG    a cluster to use instead of an own node; its nodes must be able to pull the images (see E2E_REGISTRY)
# E2E_REGISTRY  where the images are in that cluster, such as registry.example.org/video-analysis
# E2E_TAG       their tag; default: e2e
# E2E_KEEP=1    leaves the node up, for someone to look at
# What a failed test left behind is in target/e2e/failed/NAMESPACE.
set -euo pipefail
cd "$(dirname "$0")/.."

export E2E_TAG=${E2E_TAG:-e2e}
PATH=$(dirname "$(e2e/cluster/build.sh)"):$PATH # kubectl
export PATH

stage() {
    local name=$1 start=$SECONDS
    shift
    "$@"
    echo "e2e: $name: $((SECONDS - start)) s"
}

build() {
    cargo build --release --workspace --bins
    cargo test --release --workspace --test install --test cluster --no-run
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

# run_binary NAME [ARGUMENT…]: its tests; names of those that failed go to $log.failed.
run_binary() {
    local log=target/e2e/$1.log status=0
    cargo test --release --workspace --test "$1" -- --ignored --test-threads="${E2E_THREADS:-3}" "${@:2}" 2>&1 | tee "$log" || status=$?
    sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$log" >"$log.failed"
    return "$status"
}

# A machine that is busy with something else can make a wait too short: what fails is tried once more where E2E_RETRY=1,
# and named as unsteady.
run_tests() {
    local binary failed=0 again
    for binary in install cluster; do
        run_binary "$binary" "$@" && continue
        mapfile -t again <"target/e2e/$binary.log.failed"
        if [ -n "${E2E_RETRY:-}" ] && [ "${#again[@]}" -gt 0 ] && run_binary "$binary" --exact "${again[@]}"; then
            echo "e2e: UNSTEADY, passed at the second try only: ${again[*]}"
        else
            failed=1
        fi
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
if [ "${1:-}" = --bench ]; then
    cargo bench --workspace --bench cluster
    exit
fi
stage tests run_tests "$@" || {
    [ ! -d target/e2e/failed ] || echo "e2e: what the failed tests left is in $(find target/e2e/failed -mindepth 1 -maxdepth 1 | tr '\n' ' ')" >&2
    exit 1
}
