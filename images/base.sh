#!/bin/sh
# SPDX-License-Identifier: MIT
# base.sh TAR - make the base image of the build stages without a registry: a minimal Debian 13
#
# Of packages only, from the mirror that this machine uses itself; they are checked against the archive's
# signatures. Does nothing if TAR is there.
set -eu
tar=$1
[ ! -e "$tar" ] || exit 0

if ! lines=$("$(dirname "$0")/sources.sh"); then
    echo "base.sh: there is nothing to make $tar of;" \
        "build with --build-arg BASE= and an image of Debian 13 instead" >&2
    exit 1
fi

mkdir -p "$(dirname "$tar")"
echo "base.sh: making $tar"
# With sources, for images/packages.sh. Its name says how it is written, and only a whole one gets the right name.
if ! echo "$lines" | sed 'p; s/^deb /deb-src /' | mmdebstrap --quiet --variant=minbase \
    --include=ca-certificates trixie "$tar.new.tar" - 2>"$tar.log"; then
    cat "$tar.log" >&2
    exit 1
fi
rm "$tar.log"
mv "$tar.new.tar" "$tar"
