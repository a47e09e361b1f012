#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh - install what it takes to build, test, lint and demonstrate on Debian 12; and nothing twice
set -eu
cd "$(dirname "$0")/.."

tests/install.sh \
    make gcc libc6-dev musl-tools libcap-dev libmnl-dev libsodium-dev libevent-dev libjansson-dev \
    nettle-dev libqrencode-dev libseccomp-dev libcmocka-dev libcap2-bin e2fsprogs python3 python3-pytest python3-pytest-xdist python3-cryptography strace \
    iproute2 iputils-ping nftables wireguard-tools wireguard-go bindfs fuse3 busybox-static \
    python3-libtorrent qemu-system-x86 qemu-system-common cpio kmod \
    curl python3-yaml python3-prometheus-client zbar-tools zsh fish \
    clang libclang-rt-14-dev clang-format clang-tidy cppcheck shellcheck mandoc groff-base

# Elsewhere the kernel test says itself why it cannot run.
[ "$(uname -m)" != x86_64 ] || tests/updated.sh tests/kernel/fetch.sh build/kernel
tests/updated.sh tests/prometheus/fetch.sh build/prometheus
