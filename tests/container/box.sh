#!/bin/bash
# SPDX-License-Identifier: MIT
# box.sh DIRECTORY RESOLVER - prepare the namespaces that engines run in, say "ready", and wait for the end
#
# Runs as PID 1 of fresh mount, network and PID namespaces: whatever an engine mounts, starts or does to
# the network is gone with this process. It reaps what engines leave behind, and ends with its input.
set -eu
dir=$1
resolver=$2

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
    truncate -s "$([ $disk = disk ] && echo 8G || echo 64M)" "$dir/$disk.img"
    need "mkfs.ext4" mkfs.ext4 -q -F -m 0 -E lazy_itable_init=1,lazy_journal_init=1 "$dir/$disk.img"
    mkdir "$dir/$disk"
    need "loop devices, and the right to mount" mount -o loop "$dir/$disk.img" "$dir/$disk"
done
need "a tmpfs" mount -t tmpfs -o mode=755 run /run
need "a network namespace" ip link set lo up
mkdir "$dir/low" "$dir/disk/upper" "$dir/disk/work" "$dir/overlay"
need "overlay file systems" mount -t overlay \
    -o "lowerdir=$dir/low,upperdir=$dir/disk/upper,workdir=$dir/disk/work" overlay "$dir/overlay"
# Engines write there whatever their options say; the machine's own files stay as they are.
for top in etc var/lib; do
    mkdir -p "$dir/disk/copy/$top/upper" "$dir/disk/copy/$top/work"
    mount -t overlay -o "lowerdir=/$top,upperdir=$dir/disk/copy/$top/upper,workdir=$dir/disk/copy/$top/work" \
        overlay "/$top"
done
# Everybody may use this device on a machine with udev. How it is where only root may is tested, too.
need "/dev/net/tun" mknod -m 666 "$dir/tun" c 10 200
need "/dev/net/tun" mount --bind "$dir/tun" /dev/net/tun
# The machine's own resolver cannot be reached from here.
rm -f /etc/resolv.conf
echo "nameserver $resolver" >/etc/resolv.conf
# crun takes a machine with both kinds of cgroups for one with the new kind.
umount /sys/fs/cgroup/unified 2>/dev/null || :

# A user who owns a range of user numbers.
user=30000
echo "boxer:x:$user:$user::$dir/disk/home:/bin/sh" >>/etc/passwd
echo "boxer:x:$user:" >>/etc/group
echo "boxer:300000:65536" >>/etc/subuid
echo "boxer:300000:65536" >>/etc/subgid
# Podman takes its own ranges from this one, for --userns=auto.
echo "containers:400000:1048576" >>/etc/subuid
echo "containers:400000:1048576" >>/etc/subgid
mkdir -p "$dir/disk/home" "/run/user/$user"
chown "$user:$user" "$dir/disk/home" "/run/user/$user"
chmod 700 "/run/user/$user"

echo ready
read -r _ || :
