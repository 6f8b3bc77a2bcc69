#!/bin/sh
# Makes docker.io/library/debian:bookworm-slim out of Debian's packages, for a machine that reaches no registry. Only
# what builds an image is in it: no image that is made carries a file of this one but Debian's own libraries.
# Packages come from where this machine gets its own (/etc/apt). Needs root and mmdebstrap, two minutes once.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=images/tool.sh
. images/tool.sh

IMAGE=docker.io/library/debian:bookworm-slim
folder=${XDG_CACHE_HOME:-$HOME/.cache}/video-analysis
tar=$folder/debian-bookworm-$(uname -m).tar

sources() {
    grep -qs '^ID=debian$' /etc/os-release && grep -q '^VERSION_CODENAME=bookworm$' /etc/os-release || return 0
    find /etc/apt/sources.list /etc/apt/sources.list.d -name '*.list' -o -name '*.sources' 2>/dev/null |
        xargs grep -l bookworm 2>/dev/null || true
}

bootstrap() {
    command -v mmdebstrap >/dev/null 2>&1 || fail "mmdebstrap is missing. Mend, on Debian: apt-get install mmdebstrap"
    mkdir -p "$folder"
    echo "images: making a Debian from packages (two minutes, once)" >&2
    # shellcheck disable=SC2046 # a list of files
    mmdebstrap --quiet --variant=minbase \
        --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        bookworm "$tar.new.tar" $(sources)
    mv "$tar.new.tar" "$tar"
}

image_has "$IMAGE" && exit 0
[ -s "$tar" ] || bootstrap
image_import "$tar" "$IMAGE"
