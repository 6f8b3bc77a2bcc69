#!/usr/bin/env bash
# Gives the node images from archives, as `docker save` and buildah write them: there is no registry to pull them from.
#   e2e/cluster/load.sh ARCHIVE…
set -euo pipefail
cd_from=$PWD
cd "$(dirname "$0")"
. ./node.sh

[ $# -gt 0 ] || fail "usage: e2e/cluster/load.sh ARCHIVE…"
for archive in "$@"; do
    case $archive in /*) ;; *) archive=$cd_from/$archive ;; esac
    ctr images import "$archive" >/dev/null || fail "failed to load $archive into the node: is it up (e2e/cluster/up.sh)?"
done
