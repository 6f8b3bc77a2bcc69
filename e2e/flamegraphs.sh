#!/usr/bin/env bash
# Where the time goes, as pictures: a worker that makes rows of movies in a folder, and a lazycache that makes JPEGs of frames
# nobody asked for before. Writes docs/profiles/{worker,lazycache}.svg.
#   e2e/flamegraphs.sh [FOLDER]     movies are rendered below FOLDER (default: run), once
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=${1:-run}
bin=${CARGO_TARGET_DIR:-target}/release
for command in perf inferno-collapse-perf inferno-flamegraph curl; do
    command -v "$command" >/dev/null && continue
    echo "flamegraphs: $command is missing. Mend: apt-get install linux-perf curl; cargo install --locked inferno" >&2
    exit 69
done

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

"$bin/archive" render --out "$folder/archive" >/dev/null
movie=$(cd "$folder/archive" && find . -name '*.mov' | sort | head -n 1 | cut -c 3-)

# NAME TITLE: what was recorded as a picture. Threads differ in name only; what takes less than a third of a percent is left out.
picture() {
    perf script --no-inline -i "$work/perf.data" 2>/dev/null | inferno-collapse-perf 2>/dev/null |
        sed -E 's/^[^;]+;//; s/\[unknown\];//g' |
        inferno-flamegraph --title "$2" --minwidth 0.3 --hash >"docs/profiles/$1.svg"
    echo "docs/profiles/$1.svg"
}

sed -E 's/stride: [0-9]+/stride: 1/' manifests/samples/quickstart.yaml >"$work/job.yaml"
perf record -q -F 499 --call-graph dwarf,8192 -o "$work/perf.data" -- \
    "$bin/analysis-worker" run "$work/job.yaml" --source-root "$folder/archive" --output "$work/results" >/dev/null 2>&1
picture worker "analysis-worker: optical flow at stride 1 of movies in a folder, all threads"

NO_COLOR=1 "$bin/lazycache" serve --folder "movies=$folder/archive" --bind 127.0.0.1 --port 0 2>"$work/log" &
server=$!
for _ in $(seq 100); do
    address=$(sed -nE 's/.*address=([0-9.:]+).*/\1/p' "$work/log" | head -n 1)
    [ -z "$address" ] || break
    sleep 0.1
done
[ -n "$address" ] || { echo "flamegraphs: no lazycache after 10 s:" >&2; cat "$work/log" >&2; exit 69; }
frames="http://$address/v1/movies/$movie/frame/[1-300].jpg"
perf record -q -F 499 --call-graph dwarf,8192 -o "$work/perf.data" -p "$server" -- \
    curl -sS --fail -o /dev/null "$frames"
picture lazycache "lazycache: JPEGs of 300 frames, one after the other, all threads"
