#!/bin/sh
# SPDX-License-Identifier: MIT
# rootfs.sh ARCH - in a build stage: what every image has, below /out/rootfs
set -eu
arch=$1
# shellcheck source=images/arch.sh
. "$(dirname "$0")/arch.sh"
here=$(dirname "$0")
built=build/release-static-$gnu
root=/out/rootfs

umask 022
mkdir -p "$root"
cd "$root"
mkdir -p etc/ssl/certs run tmp usr/local/bin var/lib
chmod 1777 tmp
ln -sfn /run var/run
cd "$OLDPWD"
for program in wgmesh-init wgmesh; do
    install -m 755 "$built/$program" "$root/usr/local/bin/$program"
    "$gnu-strip" --strip-all --remove-section=.comment --remove-section=.gnu_debuglink \
        "$root/usr/local/bin/$program"
done
install -m 644 "$here/passwd" "$here/group" "$root/etc/"
# The licences of what is linked in ask for this.
while read -r _ package _ copyright; do
    install -D -m 644 "$copyright" "$root/usr/share/doc/$package/copyright"
done </out/linked
install -D -m 644 LICENSE "$root/usr/share/doc/wgmesh/copyright"
install -D -m 644 /usr/share/doc/ca-certificates/copyright "$root/usr/share/doc/ca-certificates/copyright"
install -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
# Engines take owner and mode over into a new volume.
install -d -m 700 -o 65532 -g 65532 "$root/var/lib/wgmesh" "$root/run/wgmesh"
