#!/usr/bin/env bash
# Checks manifests/, chart/ and crds/: needs Go and the Go module proxy (once), no cluster. Tools are kept in
# ${XDG_CACHE_HOME:-~/.cache}/video-analysis between runs. Arguments go to `go test`, such as -run Alert.
set -euo pipefail
export CGO_ENABLED=0
cd "$(dirname "$0")"

PROMETHEUS=v0.316.0 # Prometheus 3.16
cache=${XDG_CACHE_HOME:-$HOME/.cache}/video-analysis
export PROMTOOL=$cache/promtool-$PROMETHEUS/promtool

command -v go >/dev/null || { echo "manifests-check: Go is missing. Mend: install Go 1.26 or newer from https://go.dev/dl" >&2; exit 69; }

if [ ! -x "$PROMTOOL" ]; then
    echo "manifests-check: building promtool $PROMETHEUS (a few minutes, once)"
    # Without the service discoveries of all the clouds: rules need none, and they are most of the build.
    GOBIN=$(dirname "$PROMTOOL") go install -trimpath -tags remove_all_sd \
        "github.com/prometheus/prometheus/cmd/promtool@$PROMETHEUS"
fi

# -count=1: what is checked lies outside this module, where Go's cache of results does not look.
go vet ./...
go test -count=1 "$@" ./...
