# What images are called and tagged. Sourced, not run; from the root of the repository.
#   VERSION, REVISION, CREATED, EPOCH   of what is built
#   TAGS                                the tags it gets
# shellcheck shell=sh

VERSION=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
HASH=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)
CREATED=$(date -u -d "@$EPOCH" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$EPOCH" +%Y-%m-%dT%H:%M:%SZ)

# Whether what is built is what the commit says.
is_clean() {
    [ "$HASH" != unknown ] && [ -z "$(git status --porcelain)" ]
}

if is_clean; then
    REVISION=$(git rev-parse HEAD)
    TAGS=${TAG:-$HASH $VERSION latest}
else
    # Never under a name that says it is a commit.
    REVISION=$HASH-modified
    TAGS=${TAG:-test}
fi

program_of() {
    case $1 in
    operator) echo analysis-operator ;;
    worker) echo analysis-worker ;;
    lazycache | archive | redis) echo "$1" ;;
    *) return 1 ;;
    esac
}

# The full name, so that no tool and no node guesses a registry.
image_name() {
    program=$(program_of "$1") || return 1
    echo "${REGISTRY:-docker.io/library}/$program"
}
