#!/bin/bash
# SPDX-License-Identifier: MIT
# room.sh BOX CHECKOUT [ROOT] - prepare a room of a box, say "ready", and wait for the end
#
# Runs in a fresh network namespace, and with ROOT in a fresh mount namespace, where it makes a copy of
# ROOT the root directory. What others in the box use is there under the same names.
set -eu
box=$1
checkout=$2
root=${3:-}

ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
if [ -n "$root" ]; then
    layer=$(mktemp -d "$box/disk/room.XXXXXX")
    new=$box/root
    mkdir -p "$new" "$layer/upper" "$layer/work"
    mount -t overlay -o "lowerdir=$root,upperdir=$layer/upper,workdir=$layer/work" overlay "$new"
    for shown in /proc /sys /dev; do
        mount --rbind "$shown" "$new$shown"
    done
    # Without the mounts below them: those of one engine are nothing to another.
    for shown in /run /tmp "$checkout" "$box/disk" "$box/claim" "$box/overlay"; do
        mkdir -p "$new$shown"
        mount --bind "$shown" "$new$shown"
    done
    # The machine's own userspace WireGuard, for containers of images that have none.
    if [ -e /usr/bin/wireguard-go ]; then
        touch "$new/usr/bin/wireguard-go"
        mount --bind /usr/bin/wireguard-go "$new/usr/bin/wireguard-go"
    fi
    # Podman's networks are known by their names alone.
    mkdir -p /run/containers
    mount -t tmpfs -o mode=755 run "$new/run/containers"
    for file in resolv.conf hosts subuid subgid; do
        cp --remove-destination "/etc/$file" "$new/etc/$file"
    done
    mkdir "$new/old"
    cd "$new"
    pivot_root . old
    umount -l /old
    rmdir /old
    cd /
fi
echo ready
read -r _ || :
