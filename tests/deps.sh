#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh - install what it takes to build, test, lint and demonstrate on Debian 12; and nothing twice
set -eu
cd "$(dirname "$0")/.."

packages='
    make gcc libc6-dev musl-tools libcap-dev libmnl-dev libsodium-dev libevent-dev libjansson-dev
    nettle-dev libcmocka-dev libcap2-bin e2fsprogs python3 python3-pytest python3-cryptography strace
    iproute2 iputils-ping wireguard-tools wireguard-go busybox-static
    qemu-system-x86 qemu-system-common cpio kmod
    clang-format clang-tidy cppcheck shellcheck bindfs fuse3'

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# shellcheck disable=SC2086 # a list of words
installed=$(dpkg-query -W -f '${Package}:${db:Status-Status}\n' $packages 2>/dev/null) || :
missing=
for package in $packages; do
    case "
$installed
" in
    *"
$package:installed
"*) ;;
    *) missing="$missing $package" ;;
    esac
done

install_missing() {
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends $missing
}

# The package lists of a fresh machine are empty, and old ones name what is gone.
with_fresh_lists() {
    "$@" || { as_root apt-get -q update && "$@"; }
}

if [ -n "$missing" ]; then
    echo "deps: installing$missing"
    with_fresh_lists install_missing
fi

# Elsewhere the kernel test says itself why it cannot run.
if [ "$(uname -m)" = x86_64 ]; then
    with_fresh_lists tests/kernel/fetch.sh build/kernel
fi
