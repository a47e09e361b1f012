#!/bin/bash
# SPDX-License-Identifier: MIT
# box.sh DIRECTORY - prepare the namespaces that engines run in, say "ready", and wait for the end
#
# Runs as PID 1 of fresh mount, network and PID namespaces: whatever an engine mounts, starts or does to
# the network is gone with this process. It reaps what engines leave behind, and ends with its input.
set -eu
dir=$1

need() {
    what=$1
    shift
    "$@" 2>"$dir/error" || {
        echo "$what: $(tr '\n' ' ' <"$dir/error")"
        exit 1
    }
}

# A disk of its own, because engines need one, and the machine's may be an overlay itself.
for disk in disk claim; do
    truncate -s "$([ $disk = disk ] && echo 2G || echo 64M)" "$dir/$disk.img"
    need "mkfs.ext4" mkfs.ext4 -q -F "$dir/$disk.img"
    mkdir "$dir/$disk"
    need "loop devices, and the right to mount" mount -o loop "$dir/$disk.img" "$dir/$disk"
done
need "a tmpfs" mount -t tmpfs -o mode=755 run /run
need "a network namespace" ip link set lo up
mkdir "$dir/low" "$dir/disk/upper" "$dir/disk/work" "$dir/overlay"
need "overlay file systems" mount -t overlay \
    -o "lowerdir=$dir/low,upperdir=$dir/disk/upper,workdir=$dir/disk/work" overlay "$dir/overlay"
# crun takes a machine with both kinds of cgroups for one with the new kind.
umount /sys/fs/cgroup/unified 2>/dev/null || :

# A user who owns a range of user numbers; the machine's own files stay as they are.
user=30000
for file in passwd group subuid subgid; do
    cp "/etc/$file" "$dir/$file"
done
echo "boxer:x:$user:$user::$dir/disk/home:/bin/sh" >>"$dir/passwd"
echo "boxer:x:$user:" >>"$dir/group"
echo "boxer:300000:65536" >>"$dir/subuid"
echo "boxer:300000:65536" >>"$dir/subgid"
for file in passwd group subuid subgid; do
    mount --bind "$dir/$file" "/etc/$file"
done
mkdir -p "$dir/disk/home" "/run/user/$user"
chown "$user:$user" "$dir/disk/home" "/run/user/$user"
chmod 700 "/run/user/$user"

echo ready
read -r _ || :
