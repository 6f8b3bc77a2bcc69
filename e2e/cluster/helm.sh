#!/bin/sh
# Builds helm from its published module and prints its path; does nothing but that when it is there.
set -eu
HELM=v4.3.1
folder="${XDG_CACHE_HOME:-$HOME/.cache}/video-analysis/helm-$HELM"
if [ ! -x "$folder/helm" ]; then
    command -v go >/dev/null 2>&1 || [ ! -x /usr/local/go/bin/go ] || PATH="/usr/local/go/bin:$PATH"
    command -v go >/dev/null 2>&1 || { echo "helm: Go is missing. Mend: install it from https://go.dev/dl" >&2; exit 1; }
    echo "cluster: building helm $HELM; two minutes on two cores the first time" >&2
    CGO_ENABLED=0 GOBIN="$folder" go install -trimpath -ldflags '-s -w' "helm.sh/helm/v4/cmd/helm@$HELM" >&2
fi
echo "$folder/helm"
