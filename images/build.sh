#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh ARCH - in a build stage: both programs, static, for ARCH
set -eu
arch=$1
# shellcheck source=images/arch.sh
. "$(dirname "$0")/arch.sh"
# shellcheck disable=SC2016 # a variable of make
make -j"$(nproc)" ${WERROR:+WERROR=1} STATIC=1 CROSS="$gnu-" LDFLAGS='-Wl,-Map=$@.map' programs
exec images/linked.sh "$arch"
