#!/bin/bash
# SPDX-License-Identifier: MIT
# make.sh DIR VERSION ARCH... - build the images of each architecture, amd64 or arm64, into DIR
#
# Needs no registry and no engine's daemon: podman builds, with storage of its own in DIR/cache. What may be
# in DIR/cache beforehand is base-ARCH.tar, see base.sh. Calls itself in a mount namespace, so that nothing stays
# mounted, however this ends.
set -euo pipefail
# Before the directory changes, since DIR may be relative.
out=$(realpath -m "$1")
version=$2
cache=$out/cache
most_kb=$((8 << 20))
# Whose own name may be relative, too.
self=$(realpath "$0")
cd "$(dirname "$self")/.."

# give_up REASON
give_up() {
    echo "make images: podman cannot build here: $1" >&2
    echo "make images: where Docker can, docker build -f Dockerfile.distroless . makes the image, too" >&2
    exit 1
}

if [ "$(id -u)" != 0 ]; then
    echo "make images: build as root (sudo make images): the files in the images have owners" >&2
    exit 1
fi
if [ -z "${WGMESH_IMAGES_NAMESPACE-}" ]; then
    unshare -m true || give_up "no mount namespaces"
    export WGMESH_IMAGES_NAMESPACE=1
    exec unshare -m -- "$self" "$@"
fi
shift 2

mkdir -p "$cache"
# Two builds in one directory wait for each other.
exec 9>"$cache/lock"
flock 9
# Layers that no image needs any more are worth less than the disk.
mkdir -p "$cache/podman"
if [ "$(du -s "$cache/podman" | cut -f1)" -gt "$most_kb" ]; then
    rm -rf "$cache/podman"
fi

# podman wants short names, and the same ones every time: a place that every Debian has, seen so by nobody else.
place=/mnt
case $out/$PWD in
    /mnt/* | *//mnt/*) place=/media ;;
esac
mount --bind "$cache" "$place" || give_up "it may not mount anything"

# Nothing is asked for that not every root may have: higher limits, cgroups, a journal.
export CONTAINERS_CONF=$cache/containers.conf
cat >"$CONTAINERS_CONF" <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
cgroups = "disabled"
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
END

podman() {
    command podman --root "$place/podman/storage" --runroot "$place/podman/run" --tmpdir "$place/podman/tmp" \
        ${STORAGE_DRIVER:+--storage-driver "$STORAGE_DRIVER"} "$@"
}

why=$(podman info 2>&1 >/dev/null) || give_up "$why"

# The same in every build of one commit; a change that is not committed does not move the clock.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
revision=$(git describe --always --abbrev=40 --match= --dirty 2>/dev/null || echo unknown)
created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)
native=$(dpkg --print-architecture)
base=localhost/wgmesh-base:$native

images/base.sh "$cache/base-$native.tar"
podman image exists "$base" || podman import --quiet "$cache/base-$native.tar" "$base" >/dev/null

# build FILE ARCH TAG [OPTION...]
build() {
    local file=$1 arch=$2 tag=$3
    shift 3
    podman build --quiet --file "$file" --tag "$tag" --platform "linux/$arch" --pull-never \
        --format docker --timestamp "$epoch" --identity-label=false \
        --isolation chroot --network host --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
        --build-arg BASE="$base" --build-arg BUILDPLATFORM="linux/$native" --build-arg WERROR=1 \
        --build-arg SOURCE_DATE_EPOCH="$epoch" --build-arg VERSION="$version" \
        --build-arg REVISION="$revision" --build-arg CREATED="$created" \
        --build-arg SOURCE="${SOURCE-}" --build-arg DOCUMENTATION="${DOCUMENTATION-}" "$@" . >"$cache/log" 2>&1 || {
        cat "$cache/log" >&2
        exit 1
    }
}

# image FILE ARCH NAME TAG - into $out/NAME.tar and NAME.spdx.json
image() {
    local file=$1 arch=$2 name=$3 tag=$4
    echo "make images: $tag for $arch"
    # Or their labels would be used again: podman's cache knows arguments by name alone.
    for last in "localhost/$name" "localhost/$name-sbom"; do
        ! podman image exists "$last" || podman rmi --force "$last" >/dev/null
    done
    build "$file" "$arch" "localhost/$name"
    podman save --quiet --format docker-archive --output "$cache/$name.tar" "localhost/$name"
    build "$file" "$arch" "localhost/$name-sbom" --target sbom
    podman save --quiet --format docker-archive --output "$cache/$name-sbom.tar" "localhost/$name-sbom"
    images/archive.py --tag "$tag" --sbom "$cache/$name-sbom.tar" "$cache/$name.tar" "$out/$name"
    rm -f "$cache/$name.tar" "$cache/$name-sbom.tar"
}

for arch; do
    image Dockerfile.distroless "$arch" "wgmesh-$version-$arch" "wgmesh:$version"
    image Dockerfile "$arch" "wgmesh-$version-full-$arch" "wgmesh:$version-full"
done
