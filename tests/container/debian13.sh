#!/bin/sh
# SPDX-License-Identifier: MIT
# debian13.sh DIR - unpack Debian 13 with its container engines into DIR/root, unless it is there already
#
# Nothing is installed, nothing in it runs here. DIR/made says what is in DIR/root, and is there only while all of
# it is.
set -eu
dir=$1
packages="ca-certificates catatonit conmon crun docker.io docker-buildx docker-cli docker-compose fuse-overlayfs
    iproute2 iptables kubernetes-client netavark aardvark-dns nftables podman procps runc slirp4netns
    tini uidmap"
wanted=$(echo "$packages" | cksum)

mkdir -p "$dir"
# Two runs in one checkout wait for each other.
exec 9>"$dir/lock"
flock 9
[ "$(cat "$dir/made" 2>/dev/null)" != "$wanted" ] || exit 0

lines=$("$(dirname "$0")/../../images/sources.sh")
list=$(echo "$packages" | tr -s ' \n' ',')
# What a run that was interrupted left; the old root stays until there is a new one.
rm -rf --one-file-system "$dir/new"
echo "debian13.sh: making $dir/root"
echo "$lines" | mmdebstrap --quiet --mode=root --variant=minbase --include="$list" \
    --aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' trixie "$dir/new" - || {
    echo "debian13.sh: cannot make Debian 13" >&2
    exit 1
}
rm -f "$dir/made"
rm -rf --one-file-system "$dir/root"
mv "$dir/new" "$dir/root"
echo "$wanted" >"$dir/made"
