#!/bin/sh
# SPDX-License-Identifier: MIT
# install.sh PACKAGE... - install what of it is missing on Debian 12, without recommended packages
set -eu

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

echo "deps: installing$missing"
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
# shellcheck disable=SC2086 # lists of words
exec "$(dirname "$0")/updated.sh" $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q install -y --no-install-recommends $missing
