#!/bin/sh
# SPDX-License-Identifier: MIT
# runtime.sh ARCH - in a build stage: tools to look around with, below /out/rootfs
#
# Out of packages that are unpacked and not installed, so that nothing of ARCH has to run: the programs
# below, what they load, and the licences of those packages. What no package of the list brings is an error.
set -eu
arch=$1
# shellcheck source=images/arch.sh
. "$(dirname "$0")/arch.sh"
root=/out/rootfs
debs=/tmp/packages

packages="wireguard-go wireguard-tools iproute2 iputils-ping busybox-static dash
    libc6 libbpf1 libcap2 libelf1t64 libidn2-0 libmnl0 libpcre2-8-0 libselinux1 libunistring5 libzstd1 zlib1g"
programs="bin/wireguard-go bin/wg bin/ip sbin/bridge bin/ping bin/dash bin/busybox"

unpack() {
    rm -rf "$debs"
    mkdir -p "$debs"
    chown _apt "$debs"
    cd "$debs"
    apt-get -q update
    for package in $packages; do
        apt-get -q download "$package:$arch"
    done
    for deb in *.deb; do
        dpkg-deb -x "$deb" tree
    done
}

# What a program or library loads.
needed() {
    "$gnu-readelf" --wide --dynamic "$1" 2>/dev/null | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p'
}

# Where the tree has a library; the loader goes by one certain name, which comes first.
find_library() {
    for dir in lib64 lib "lib/$gnu"; do
        [ ! -e "$debs/tree/usr/$dir/$1" ] || { echo "$dir/$1" && return; }
    done
    return 1
}

# take FILE - a file of the tree by its name below usr, and all that it needs
take() {
    [ ! -e "$root/usr/$1" ] || return 0
    mkdir -p "$root/usr/$(dirname "$1")"
    cp -L --preserve=mode "$debs/tree/usr/$1" "$root/usr/$1"
    for library in $(needed "$root/usr/$1"); do
        if ! path=$(find_library "$library"); then
            echo "runtime.sh: no package of the list brings $library, which $1 needs" >&2
            exit 1
        fi
        take "$path"
    done
}

unpack
mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib"
# Where programs of Debian expect each other, and their loader.
for link in bin sbin lib; do
    ln -s "usr/$link" "$root/$link"
done
[ "$arch" != amd64 ] || { mkdir "$root/usr/lib64" && ln -s usr/lib64 "$root/lib64"; }
for program in $programs; do
    take "$program"
done
for package in $packages; do
    # shellcheck disable=SC2016 # dpkg's variables
    dpkg-deb --show --showformat '${Package} ${Version} '"/usr/share/doc/$package/copyright\n" \
        "$debs/${package}_"*.deb >>/out/shipped
    install -D -m 644 "$debs/tree/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
done
# busybox is a shell, too, but one that prefers its own ip and ping to those in PATH.
ln -s dash "$root/usr/bin/sh"
# The same version as that of ARCH, and so the same list.
for applet in $(busybox --list); do
    [ -e "$root/usr/sbin/$applet" ] || [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
done
ln -s ../bin/ip "$root/usr/sbin/ip"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
