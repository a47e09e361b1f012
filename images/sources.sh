#!/bin/sh
# SPDX-License-Identifier: MIT
# sources.sh - print lines of a sources.list(5) for Debian 13, with the mirrors that this machine's own apt uses
set -eu
suite=trixie
# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2016 # apt's variables, not the shell's
lines=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' | sort -u | sed -nE \
    "s/^([^ ]+) $codename(-updates|-security)? main\$/deb \\1 $suite\\2 main/p")
if [ -z "$lines" ]; then
    echo "sources.sh: apt on this machine knows no mirror of Debian with a component main" >&2
    exit 1
fi
echo "$lines"
