#!/bin/sh
# SPDX-License-Identifier: MIT
# emulator.sh DIR - unpack what runs arm64 programs into DIR, unless it is there already
#
# Nothing is installed and nothing registered with the kernel: containers get the program as a mount.
set -eu
dir=$1
[ ! -x "$dir/qemu-aarch64" ] || exit 0

rm -rf "$dir"
mkdir -p "$dir"
cd "$dir"
# The download needs no sandbox user, who could not write here.
apt-get -q -o APT::Sandbox::User=root download qemu-user-static
dpkg-deb --fsys-tarfile qemu-user-static_*.deb | tar -x ./usr/bin/qemu-aarch64-static
rm -- *.deb
mv usr/bin/qemu-aarch64-static qemu-aarch64
rm -r usr
