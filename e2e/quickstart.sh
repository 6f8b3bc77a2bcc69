#!/usr/bin/env bash
# The quickstart: a small archive is rendered (once), served by HTTP, analysed. Results are named at the end.
#   e2e/quickstart.sh [FOLDER]      everything goes below FOLDER (default: run)
set -euo pipefail

folder=${1:-run}
bin=${CARGO_TARGET_DIR:-target}/release
mkdir -p "$folder"

"$bin/archive" render --out "$folder/archive"

# The server takes a free port and writes its address to a file when it listens.
rm -f "$folder/archive.url"
"$bin/archive" serve --root "$folder/archive" --bind 127.0.0.1:0 --url-file "$folder/archive.url" >"$folder/archive.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    [ -s "$folder/archive.url" ] && break
    kill -0 "$server" 2>/dev/null || { echo "quickstart: the archive server ended; see $folder/archive.log" >&2; exit 69; }
    sleep 0.1
done
[ -s "$folder/archive.url" ] || { echo "quickstart: no archive server after 10 s; see $folder/archive.log" >&2; exit 69; }

"$bin/analysis-worker" run manifests/samples/quickstart.yaml \
    --source-root "$(cat "$folder/archive.url")" --output "$folder/results"
