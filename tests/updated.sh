#!/bin/sh
# SPDX-License-Identifier: MIT
# updated.sh COMMAND [ARG...] - run what uses apt's package lists; if it fails, once more with fresh ones
#
# Those of a fresh machine are empty, and old ones name what is gone.
set -eu
"$@" && exit 0
echo "updated.sh: once more, with fresh package lists"
if [ "$(id -u)" = 0 ]; then apt-get -q update; else sudo apt-get -q update; fi
exec "$@"
