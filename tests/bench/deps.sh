#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh - install the inits that the benchmark compares with, on Debian 12; `make deps` does not need them
set -eu
exec "$(dirname "$0")/../install.sh" tini dumb-init catatonit strace binutils
