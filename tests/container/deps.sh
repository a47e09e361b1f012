#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh - install the container engines that `make test-container` runs, on Debian 12, and unpack Debian 13's
set -eu
cd "$(dirname "$0")/../.."
tests/install.sh \
    docker.io docker-compose podman crun runc uidmap fuse-overlayfs slirp4netns catatonit \
    netavark aardvark-dns iptables e2fsprogs busybox-static curl mmdebstrap debian-archive-keyring
tests/container/debian13.sh build/debian13
