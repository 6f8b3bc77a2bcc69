# Which program builds images here, and the few words in which they differ. Sourced, not run.
#   TOOL     docker | podman | buildah, from the environment or the first that works
#   EPOCH    the time that images bear, from names.sh: the same files are the same image
# shellcheck shell=sh

fail() {
    echo "images: $*" >&2
    exit 1
}

find_tool() {
    for tool in docker podman buildah; do
        command -v "$tool" >/dev/null 2>&1 || continue
        if [ "$tool" = docker ]; then
            docker buildx version >/dev/null 2>&1 && docker info >/dev/null 2>&1 || continue
        fi
        echo "$tool"
        return 0
    done
    return 1
}

TOOL=${TOOL:-$(find_tool)} ||
    fail "docker (with buildx, its daemon running), podman and buildah are missing. Mend, on Debian: apt-get install buildah"
# Where the kernel has no overlay filesystem for us, layers are copied.
if [ "$TOOL" = buildah ] && ! buildah info >/dev/null 2>&1; then export STORAGE_DRIVER=vfs; fi

# image_build ARGUMENTS…   of `build`, understood by all three; layers are kept and found again
image_build() {
    case $TOOL in
    docker) docker buildx build --load --provenance=false --build-arg "SOURCE_DATE_EPOCH=$EPOCH" "$@" ;;
    podman) podman build --pull=never --layers --timestamp "$EPOCH" "$@" ;;
    # chroot: works in containers and without privileges for namespaces. The network is the machine's.
    buildah) buildah bud --pull-never --layers --timestamp "$EPOCH" --isolation=chroot --network=host "$@" ;;
    esac
}

image_has() {
    case $TOOL in
    docker) docker image inspect "$1" >/dev/null 2>&1 ;;
    podman) podman image exists "$1" ;;
    buildah) buildah inspect --type image "$1" >/dev/null 2>&1 ;;
    esac
}

image_pull() {
    "$TOOL" pull "$1" >/dev/null 2>&1
}

# image_import TAR IMAGE   a root filesystem
image_import() {
    case $TOOL in
    docker | podman) "$TOOL" import "$1" "$2" >/dev/null ;;
    buildah)
        container=$(buildah from scratch)
        buildah add --quiet "$container" "$1" / >/dev/null
        buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd /bin/bash "$container"
        buildah commit --quiet --rm "$container" "$2" >/dev/null
        ;;
    esac
}

# image_save IMAGE FILE   as docker-archive, under the image's name
image_save() {
    rm -f "$2"
    case $TOOL in
    docker) docker save --output "$2" "$1" ;;
    podman) podman save --quiet --format docker-archive --output "$2" "$1" ;;
    buildah) buildah push --quiet "$1" "docker-archive:$2:$1" ;;
    esac
}

image_push() {
    "$TOOL" push "$1"
}
