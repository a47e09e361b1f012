#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh - install what builds images, on Debian 12
set -eu
exec "$(dirname "$0")/../tests/install.sh" podman crun mmdebstrap python3
