#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh ARCH - in a build stage: both programs, static, for ARCH
set -eu
arch=$1
# shellcheck source=images/arch.sh
. "$(dirname "$0")/arch.sh"
exec make -j"$(nproc)" ${WERROR:+WERROR=1} STATIC=1 CROSS="$gnu-" programs
