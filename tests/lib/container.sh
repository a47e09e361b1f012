#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: MIT
# container.sh COMMAND... - what a container engine does between clone(2) and execve(2)
#
# Runs as PID 1 of fresh mount, pid, uts and ipc namespaces, with private mount propagation. It makes
# a root file system out of the machine's own, as a writable layer in memory over a read-only one,
# moves into it and becomes COMMAND. busybox runs most of these commands without a new process.
#
# CT_NAME     host name
# CT_DIR      empty directory of this container
# CT_COPY     files to put into /usr/local/bin, separated by spaces
# CT_MOUNTS   lines "KIND SOURCE TARGET OPTIONS", KIND one of bind, file, tmpfs
# CT_ABSENT   paths that the image does not have, separated by spaces
# CT_OWNER    owner of the image's state directory
# CT_FILECAPS file capabilities, PROGRAM=TEXT for setcap(8), separated by spaces
# CT_USERNS   user namespace to become COMMAND in, a path; empty for the machine's
# CT_READONLY not empty: mount the root file system read-only at last
set -eu

hostname "$CT_NAME"
mount -t tmpfs -o mode=755 layer "$CT_DIR"
mkdir "$CT_DIR/upper" "$CT_DIR/work" "$CT_DIR/root"
mount -t overlay -o "lowerdir=/,upperdir=$CT_DIR/upper,workdir=$CT_DIR/work" overlay "$CT_DIR/root"
cd "$CT_DIR/root"

mount -t proc -o nosuid,nodev,noexec proc proc
mount -o bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755,nosuid,noexec dev dev
mkdir dev/pts dev/shm dev/net
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,nosuid,noexec devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
umask 0
mknod dev/null c 1 3
mknod dev/zero c 1 5
mknod dev/full c 1 7
mknod dev/random c 1 8
mknod dev/urandom c 1 9
mknod dev/tty c 5 0
mknod dev/net/tun c 10 200
umask 022
: >dev/termination-log

# What the machine itself keeps in these places is no business of a container's.
rm -rf var/lib/wgmesh data etc/wgmesh
mkdir -m 700 var/lib/wgmesh
chown "$CT_OWNER" var/lib/wgmesh
for file in $CT_COPY; do
    rm -f "usr/local/bin/${file##*/}"
    cp -L "$file" usr/local/bin/
done
for file in $CT_FILECAPS; do
    setcap "${file#*=}" "usr/local/bin/${file%%=*}"
done
for path in $CT_ABSENT; do
    rm -rf "./$path"
done

printf '%s' "$CT_MOUNTS" | while read -r kind source target options; do
    case $kind in
    bind | tmpfs)
        mkdir -p "./$target"
        ;;
    file)
        mkdir -p "./${target%/*}"
        [ -e "./$target" ] || : >"./$target"
        ;;
    esac
    case $kind in
    tmpfs)
        mount -t tmpfs -o "$options" tmpfs "./$target"
        ;;
    bind | file)
        mount -o bind "$source" "./$target"
        [ "$options" = rw ] || mount -o "remount,bind,$options" "./$target"
        ;;
    esac
done

# Its path is one of the machine's /proc.
[ -z "$CT_USERNS" ] || exec 9<"$CT_USERNS"

mkdir .old
pivot_root . .old
cd /
umount -l /.old
rmdir /.old
[ -z "$CT_READONLY" ] || mount -o remount,bind,ro /
[ -n "$CT_USERNS" ] || exec "$@"
# shellcheck disable=SC2016 # the inner shell's own arguments
exec nsenter --user=/proc/self/fd/9 -- sh -c 'exec "$@" 9<&-' sh "$@"
