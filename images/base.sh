#!/bin/sh
# SPDX-License-Identifier: MIT
# base.sh TAR - make the base image of the build stages without a registry: a minimal Debian 13
#
# Of packages only, from the mirror that this machine uses itself; they are checked against the archive's
# signatures. Does nothing if TAR is there.
set -eu
tar=$1
suite=trixie
[ ! -e "$tar" ] || exit 0

# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2016 # apt's variables, not the shell's
lines=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' | sort -u | sed -nE \
    "s/^([^ ]+) $codename(-updates|-security)? main\$/deb \\1 $suite\\2 main\\ndeb-src \\1 $suite\\2 main/p")
if [ -z "$lines" ]; then
    echo "base.sh: apt on this machine knows no Debian mirror, so there is nothing to make $tar of;" \
        "build with --build-arg BASE= and an image of Debian 13 instead" >&2
    exit 1
fi

mkdir -p "$(dirname "$tar")"
echo "base.sh: making $tar"
# Its name says how it is written, and only a whole one gets the right name.
if ! echo "$lines" | mmdebstrap --quiet --variant=minbase --include=ca-certificates "$suite" "$tar.new.tar" - \
    2>"$tar.log"; then
    cat "$tar.log" >&2
    exit 1
fi
rm "$tar.log"
mv "$tar.new.tar" "$tar"
