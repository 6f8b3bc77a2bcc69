#!/bin/sh
# Prints what the images weigh on their way to a node: sizes.sh [TARGET…], compressed kB of each layer and in all.
# The images must be built; TAG and REGISTRY as in build.sh.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=images/tool.sh
. images/tool.sh
# shellcheck source=images/names.sh
. images/names.sh

[ $# -gt 0 ] || set -- operator worker lazycache
tag=${TAGS%% *}

# The layers of an image are the tar files in its archive; registries keep them by gzip.
layers() {
    image_save "$1" "$folder/image.tar"
    rm -rf "$folder/image"
    mkdir "$folder/image"
    tar -C "$folder/image" -xf "$folder/image.tar"
    sed 's/.*"Layers":\[\([^]]*\)\].*/\1,/' "$folder/image/manifest.json" | tr ',' '\n' | tr -d '"' |
        while read -r layer; do cat "$folder/image/$layer" | gzip -6 | wc -c; done
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
printf '%-12s %12s   %s\n' image 'kB in all' 'kB of each layer'
for target in "$@"; do
    image=$(image_name "$target"):$tag
    image_has "$image" || fail "there is no image $image. Mend: make images"
    layers "$image" | awk -v name="$target" '{all += $1; each = each " " int($1 / 1000)}
        END {printf "%-12s %12d  %s\n", name, all / 1000, each}'
done
