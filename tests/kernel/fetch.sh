#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch.sh DIR - unpack the distribution's small kernel into DIR, unless one is there already
#
# Leaves DIR/tree with boot/vmlinuz-VERSION and lib/modules/VERSION, and VERSION in DIR/version.
# Nothing is installed.
set -eu
dir=$1
[ ! -e "$dir/version" ] || exit 0

# The meta package depends on the current image and on nothing else.
version=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: linux-image-//p')
if [ -z "$version" ]; then
    echo "fetch.sh: the package lists name no linux-image-cloud-amd64" >&2
    exit 1
fi

rm -rf "$dir"
mkdir -p "$dir"
cd "$dir"
# The download needs no sandbox user, who could not write here.
apt-get -q -o APT::Sandbox::User=root download "linux-image-$version"
dpkg -x "linux-image-$version"_*.deb tree
rm -- *.deb
depmod -b "$PWD/tree" "$version"
echo "$version" >version
