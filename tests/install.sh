#!/bin/sh
# SPDX-License-Identifier: MIT
# install.sh PACKAGE... - install what of it is missing on Debian 12, without recommended packages
set -eu

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

installed=$(dpkg-query -W -f '${Package}:${db:Status-Status}\n' "$@" 2>/dev/null) || :
missing=
for package; do
    case "
$installed
" in
    *"
$package:installed
"*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

install_missing() {
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends $missing
}

echo "deps: installing$missing"
# The package lists of a fresh machine are empty, and old ones name what is gone.
install_missing || { as_root apt-get -q update && install_missing; }
