#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh - install the container engines that `make test-container` runs, on Debian 12
set -eu
exec "$(dirname "$0")/../install.sh" \
    docker.io docker-compose podman crun runc uidmap fuse-overlayfs e2fsprogs busybox-static
