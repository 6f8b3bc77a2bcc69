#!/bin/sh
# Builds `kube`, the binary with all of Kubernetes that the tests start, and prints its path; does nothing but that when
# it is there. It stays outside target/, because it takes minutes and depends on nothing but this folder.
set -eu
cd "$(dirname "$0")"

GO_MINIMUM=24
KUBERNETES=$(sed -n 's|^\tk8s.io/kubernetes v||p' go.mod)

fail() {
    echo "cluster: $*" >&2
    exit 1
}

check_go() {
    command -v go >/dev/null 2>&1 || [ ! -x /usr/local/go/bin/go ] || PATH="/usr/local/go/bin:$PATH"
    command -v go >/dev/null 2>&1 || fail "go is missing. Mend: install Go 1.$GO_MINIMUM or newer from https://go.dev/dl, or set ANALYSIS_KUBE_BINARY to a kube built elsewhere"
    minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge "$GO_MINIMUM" ] || fail "$(go env GOVERSION) is too old. Mend: install Go 1.$GO_MINIMUM or newer from https://go.dev/dl"
}

sha256() {
    if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi
}

version_flags() {
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        printf -- '-X %s.gitVersion=v%s -X %s.gitMajor=%s -X %s.gitMinor=%s ' "$package" "$KUBERNETES" \
            "$package" "$(echo "$KUBERNETES" | cut -d. -f1)" "$package" "$(echo "$KUBERNETES" | cut -d. -f2)"
    done
}

hash=$(cat go.mod go.sum ./*.go build.sh | sha256 | cut -c1-16)
folder="${XDG_CACHE_HOME:-$HOME/.cache}/video-analysis/cluster-$hash"
if [ ! -x "$folder/kube" ]; then
    check_go
    mkdir -p "$folder"
    echo "cluster: building Kubernetes $KUBERNETES; about 4 minutes on two cores the first time" >&2
    # Under a name of its own first: two builds at once, or one that is stopped, leave no half binary.
    new="$folder/kube.$$"
    trap 'rm -f "$new"' EXIT
    CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags "-s -w $(version_flags)" -o "$new" . >&2 ||
        fail "the build failed, see above. Mend: a module that cannot be fetched needs GOPROXY; the build needs 4 GB of disk"
    mv "$new" "$folder/kube"
    # kubectl looks for plugins on PATH, and plugins for kubectl: a component by its own name is a link.
    ln -sf kube "$folder/kubectl"
fi
echo "$folder/kube"
