#!/bin/bash
# SPDX-License-Identifier: MIT
# kube_cage.sh NAME - cgroups and a network for pods, say "ready", and wait for the end
#
# Runs in fresh mount and network namespaces. A pod has a cgroup for its containers; whatever an engine makes for that
# comes to lie below NAME, which goes away with the box.
set -eu
name=$1

ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
mount --make-rprivate /
for tree in /sys/fs/cgroup /sys/fs/cgroup/*; do
    if [ ! -e "$tree/cgroup.procs" ] || [ -L "$tree" ] || ! mountpoint -q "$tree"; then continue; fi
    # Version 2 lets nobody below count processes, unless it is told to; systemd tells it.
    if [ -e "$tree/cgroup.subtree_control" ] && ! grep -qw pids "$tree/cgroup.subtree_control"; then
        echo +pids >"$tree/cgroup.subtree_control"
    fi
    mkdir -p "$tree/$name"
    # Without these, version 1 takes no process in.
    for file in cpuset.cpus cpuset.mems; do
        [ ! -e "$tree/$file" ] || cat "$tree/$file" >"$tree/$name/$file"
    done
    mount --bind "$tree/$name" "$tree"
done
echo ready
read -r _ || :
