#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh - install what `make test-container` runs on Debian 12: its engines and those of Debian 13, unpacked;
# and validators of the schemas of Kubernetes
set -eu
cd "$(dirname "$0")/../.."
tests/install.sh \
    docker.io docker-compose podman crun runc uidmap fuse-overlayfs slirp4netns catatonit \
    netavark aardvark-dns iptables e2fsprogs busybox-static curl mmdebstrap debian-archive-keyring
tests/container/debian13.sh build/debian13
tests/container/kube-schemas/fetch.sh build/kube-schemas
tests/updated.sh tests/container/emulator.sh build/emulator
