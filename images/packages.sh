#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh ARCH - in a build stage: compilers and static libraries for ARCH, which is Debian's name of it
#
# Everything is Debian's; of libqrencode it has no static library, so that is made of Debian's source.
set -eu
arch=$1
# shellcheck source=images/arch.sh
. "$(dirname "$0")/arch.sh"
qrencode=/usr/src/qrencode

sources() {
    # In the form of an image from a registry; images/base.sh writes the other one.
    for file in /etc/apt/sources.list.d/*.sources; do
        [ ! -e "$file" ] || sed -i 's/^Types: deb$/Types: deb deb-src/' "$file"
    done
    [ "$arch" = "$(dpkg --print-architecture)" ] || dpkg --add-architecture "$arch"
    apt-get -q update
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
}

# Its own compiler goes by this name, too, but lacks an assembler when it comes alone.
compiler_package() {
    if [ "$arch" = "$(dpkg --print-architecture)" ]; then echo gcc; else echo "gcc-$gnu" | tr _ -; fi
}

make_qrencode() {
    mkdir -p "$qrencode/source"
    cd "$qrencode"
    chown _apt .
    apt-get -q source --download-only qrencode
    tar -C source --strip-components=1 -xf qrencode_*.orig.tar.*
    tar -xf qrencode_*.debian.tar.* debian/copyright
    cd source
    ./configure --quiet --host="$gnu" --prefix=/usr --libdir="/usr/lib/$gnu" \
        --disable-shared --without-tools --without-tests CFLAGS="-O2 -fPIE -ffile-prefix-map=$PWD=."
    make -s install-libLTLIBRARIES install-includeHEADERS
}

sources
install_packages make busybox-static "$(compiler_package)" bzip2 xz-utils ca-certificates \
    "libc6-dev:$arch" "musl-dev:$arch" "libcap-dev:$arch" "libevent-dev:$arch" "libjansson-dev:$arch" \
    "libmnl-dev:$arch" "libseccomp-dev:$arch" "libsodium-dev:$arch" "nettle-dev:$arch"
make_qrencode
