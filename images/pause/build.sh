#!/bin/sh
# Builds the image of a pod's first process and prints the path of its archive, as `docker load` and `ctr images import`
# take it. A tar of three files needs no image builder; it is made anew only when its source is.
set -eu
cd "$(dirname "$0")"

hash=$(cat pause.c build.sh | sha256sum | cut -c1-16)
folder="${XDG_CACHE_HOME:-$HOME/.cache}/video-analysis"
archive="$folder/pause-$hash.tar"
[ ! -s "$archive" ] || { echo "$archive"; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder" "$work/root" "$work/image"
cc -O2 -static -s -o "$work/root/pause" pause.c
tar --create --file="$work/image/layer.tar" --directory="$work/root" --owner=0 --group=0 --mtime=@0 pause
layer=$(sha256sum "$work/image/layer.tar" | cut -d' ' -f1)
case $(uname -m) in x86_64) architecture=amd64 ;; aarch64) architecture=arm64 ;; *) architecture=$(uname -m) ;; esac
cat >"$work/image/config.json" <<EOF
{"architecture": "$architecture", "os": "linux", "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$layer"]}}
EOF
cat >"$work/image/manifest.json" <<EOF
[{"Config": "config.json", "RepoTags": ["localhost/pause:1"], "Layers": ["layer.tar"]}]
EOF
tar --create --file="$archive.$$" --directory="$work/image" manifest.json config.json layer.tar
mv "$archive.$$" "$archive"
echo "$archive"
