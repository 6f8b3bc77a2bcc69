#!/bin/sh
# Writes the images of the tests as files for `ctr images import`: archives.sh OUTDIR TAG
#   OUTDIR/{operator,worker,lazycache,archive,redis}.tar
#   named docker.io/library/{analysis-operator,analysis-worker,lazycache,archive,redis}:TAG, and :TAG-next, the same under the
#   name of another release, for the tests that roll from one to the other
# From the binaries in BINARIES (target/release). What has not changed comes from the layers of the last time.
set -eu
[ $# -eq 2 ] || { echo "usage: archives.sh OUTDIR TAG" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
[ -z "${BINARIES:-}" ] || BINARIES=$(cd "$BINARIES" && pwd)
cd "$(dirname "$0")/.."
export TAG="$2" BINARIES="${BINARIES:-${CARGO_TARGET_DIR:-target}/release}" REGISTRY=
# shellcheck source=images/tool.sh
. images/tool.sh
# shellcheck source=images/names.sh
. images/names.sh

# A second name in the archive's list: the layers are there once.
name_again() {
    rm -rf "$work/image"
    mkdir "$work/image"
    tar -C "$work/image" -xf "$1"
    sed -i 's/"RepoTags":\["\([^"]*\)"\]/"RepoTags":["\1","\1-next"]/' "$work/image/manifest.json"
    grep -q -- '-next"' "$work/image/manifest.json" || fail "the list of names in $1 is not as expected"
    (cd "$work/image" && tar -cf "$1" -- *)
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
./images/build.sh operator worker lazycache archive redis
for target in operator worker lazycache archive redis; do
    image_save "$(image_name "$target"):$TAG" "$out/$target.tar"
    name_again "$out/$target.tar"
done
