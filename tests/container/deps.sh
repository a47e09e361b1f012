#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh - install the container engines that `make test-container` runs, on Debian 12
set -eu

missing=
for package in docker.io docker-compose podman crun runc uidmap fuse-overlayfs e2fsprogs busybox-static; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_missing() {
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing
}

echo "deps: installing$missing"
install_missing || { as_root apt-get -q update && install_missing; }
