#!/bin/sh
# Makes sure that what cannot come from crates.io is there: a C toolchain, FFmpeg, OpenCV, clang.
# On Debian and Ubuntu the missing packages are installed (through sudo where needed); elsewhere they are named.
# `setup.sh test` also looks for what only the tests need (a real Redis).
# `setup.sh test-api` looks for what only `make test-api` needs, `setup.sh test-cluster` for what the node of `make e2e` does.
set -eu

PACKAGES="build-essential pkg-config cmake nasm clang libclang-dev ffmpeg libopencv-dev libavcodec-dev libavformat-dev libavutil-dev libavfilter-dev libavdevice-dev libswscale-dev libswresample-dev ca-certificates"
# A node of Kubernetes, and the means to build images where there is neither a registry nor docker.
CLUSTER_PACKAGES="containerd runc containernetworking-plugins iptables iproute2 conntrack procps util-linux buildah mmdebstrap docker-registry apache2-utils"
RUST_MINIMUM=92
# From 1.21 on, go fetches the version that a go.mod asks for by itself.
GO_MINIMUM=21

fail() {
    echo "setup: $*" >&2
    exit 1
}

check_rust() {
    command -v cargo >/dev/null 2>&1 || [ ! -x "$HOME/.cargo/bin/cargo" ] || PATH="$HOME/.cargo/bin:$PATH"
    command -v cargo >/dev/null 2>&1 || fail "cargo is missing. Mend: install Rust 1.$RUST_MINIMUM or newer from https://rustup.rs"
    minor=$(cargo --version | sed -n 's/^cargo 1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge "$RUST_MINIMUM" ] ||
        fail "$(cargo --version) is too old. Mend: rustup update stable (1.$RUST_MINIMUM or newer is needed)"
}

# Debian's own Go is too old, so it is named and not installed.
check_go() {
    [ -z "${ANALYSIS_KUBE_BINARY:-}" ] || return 0
    command -v go >/dev/null 2>&1 || [ ! -x /usr/local/go/bin/go ] || PATH="/usr/local/go/bin:$PATH"
    command -v go >/dev/null 2>&1 ||
        fail "go is missing; \`make test-api\` builds Kubernetes with it. Mend: install Go 1.$GO_MINIMUM or newer from https://go.dev/dl, or set ANALYSIS_KUBE_BINARY to a kube built elsewhere by e2e/cluster/build.sh"
    minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge "$GO_MINIMUM" ] ||
        fail "$(go env GOVERSION) is too old for \`make test-api\`. Mend: install Go 1.$GO_MINIMUM or newer from https://go.dev/dl"
}

install_debian() {
    missing=""
    for package in $PACKAGES; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || fail "these packages are missing:$missing. Mend (as root): apt-get install$missing"
        as_root="sudo"
    fi
    echo "setup: installing$missing"
    $as_root apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
        fail "apt-get could not install$missing. Mend: apt-get install$missing"
}

check_elsewhere() {
    for tool in cc pkg-config cmake nasm clang ffmpeg $TEST_TOOLS; do
        command -v "$tool" >/dev/null 2>&1 || fail "$tool is missing. Mend: see 'Other systems' in README.md"
    done
    for library in opencv4 libavcodec libavformat libavutil libswscale libswresample; do
        pkg-config --exists "$library" || fail "the library $library is missing. Mend: see 'Other systems' in README.md"
    done
}

check_rust
TEST_TOOLS=""
case ${1:-} in
test)
    PACKAGES="$PACKAGES redis-server openssl"
    TEST_TOOLS="redis-server redis-cli openssl"
    ;;
test-api) check_go ;;
test-cluster)
    check_go
    PACKAGES="$PACKAGES $CLUSTER_PACKAGES"
    ;;
esac
if command -v apt-get >/dev/null 2>&1; then install_debian; else check_elsewhere; fi
