#!/bin/sh
# SPDX-License-Identifier: MIT
# linked.sh ARCH - in a build stage: what was really linked into the programs, as the linker's maps tell
#
# Writes lines to /out/linked: PROGRAM PACKAGE VERSION COPYRIGHT, the last one a file. Debian's are named as
# the packages that hold the archives.
set -eu
arch=$1
# shellcheck source=images/arch.sh
. "$(dirname "$0")/arch.sh"
built=build/release-static-$gnu
qrencode=/usr/src/qrencode

# Archives of which a part was taken, and the start files.
inputs() {
    sed -nE -e 's/^([^ (]+\.a)\(.*/\1/p' -e 's/^LOAD ([^ ]*crt[^ ]*\.o)$/\1/p' "$1" | sort -u
}

package_of() {
    case $1 in
        # A copy without its constructor, see the Makefile.
        */musl/libcap.a) file=/usr/lib/$gnu/libcap.a ;;
        "$built"/*) return ;;
        *) file=$(readlink -f "$1") ;;
    esac
    if [ "$file" = "/usr/lib/$gnu/libqrencode.a" ]; then
        echo "qrencode $(sed -n 's/^Version: //p' "$qrencode"/*.dsc) $qrencode/debian/copyright"
        return
    fi
    name=$(dpkg-query --search "$file" | sed 's/: .*//')
    # shellcheck disable=SC2016 # dpkg's variables
    dpkg-query --show -f '${Package} ${Version} /usr/share/doc/${Package}/copyright\n' "$name"
}

mkdir -p /out
for program in wgmesh-init wgmesh; do
    inputs "$built/$program.map" | while read -r input; do
        package_of "$input"
    done | sort -u | sed "s/^/$program /"
done >/out/linked
