#!/bin/sh
# Pushes the images that build.sh has made: push.sh [TARGET…]. REGISTRY must be given; TAG as in build.sh.
# From a folder with changes of one's own only tags that begin with `test` are pushed: any other says "this commit".
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=images/tool.sh
. images/tool.sh
# shellcheck source=images/names.sh
. images/names.sh

[ -n "${REGISTRY:-}" ] || fail "REGISTRY is not set, such as registry.example.org/video-analysis"
[ $# -gt 0 ] || set -- operator worker lazycache
if ! is_clean; then
    for tag in $TAGS; do
        case $tag in
        test*) ;;
        *) fail "the tag $tag would not say what is in the image: files here differ from the commit. Mend: commit them, or take a tag such as test-$tag" ;;
        esac
    done
fi
for target in "$@"; do
    for tag in $TAGS; do
        image=$(image_name "$target"):$tag
        image_has "$image" || fail "there is no image $image. Mend: make images"
        image_push "$image"
    done
done
