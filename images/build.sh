#!/bin/sh
# Builds the images: build.sh [TARGET…], by default operator, worker and lazycache. Prints the names it has given.
#   REGISTRY   where they will go, such as registry.example.org/video-analysis; absent: local names
#   TAG        the one tag they get. Absent: the commit, the version and `latest`; and `test` when files differ from it
#   BINARIES   a folder with release binaries built on Debian 12; absent: they are compiled in the builder stage
#   TOOL       docker | podman | buildah; absent: the first that works
set -eu
[ -z "${BINARIES:-}" ] || BINARIES=$(cd "$BINARIES" && pwd)
cd "$(dirname "$0")/.."
# shellcheck source=images/tool.sh
. images/tool.sh
# shellcheck source=images/names.sh
. images/names.sh

[ $# -gt 0 ] || set -- operator worker lazycache

# What must be there before a build; every tool is then told to pull nothing.
base() {
    image_has docker.io/library/debian:bookworm-slim || image_pull docker.io/library/debian:bookworm-slim ||
        ./images/base.sh
    [ -z "${BINARIES:-}" ] || return 0
    image_has docker.io/library/rust:1-bookworm || image_pull docker.io/library/rust:1-bookworm ||
        fail "docker.io/library/rust:1-bookworm cannot be pulled. Mend: build on Debian 12 (cargo build --release) and set BINARIES=target/release"
}

# The programs alone: beside them are gigabytes.
hand_in() {
    for name in analysis-operator analysis-worker lazycache archive bucket; do
        [ ! -f "$BINARIES/$name" ] || cp --reflink=auto -p "$BINARIES/$name" "$1/"
    done
}

build() {
    target=$1
    name=$(image_name "$target") || fail "there is no image $target"
    set --
    for tag in $TAGS; do set -- "$@" --tag "$name:$tag"; done
    if [ -n "${BINARIES:-}" ]; then
        # Redis comes from Debian.
        [ "$target" = redis ] || [ -f "$handed/$(program_of "$target")" ] ||
            fail "$BINARIES has no $(program_of "$target"). Mend: cargo build --release --workspace"
        set -- "$@" --build-arg BINARIES=scratch --build-context "binaries=$handed"
    fi
    image_build --target "$target" "$@" --build-arg "VERSION=$VERSION" --build-arg "REVISION=$REVISION" \
        --build-arg "CREATED=$CREATED" --file Dockerfile . >&2 ||
        fail "the image $target cannot be built, see above"
    for tag in $TAGS; do echo "$name:$tag"; done
}

base
handed=$(mktemp -d)
trap 'rm -rf "$handed"' EXIT
[ -z "${BINARIES:-}" ] || hand_in "$handed"
for target in "$@"; do build "$target"; done
