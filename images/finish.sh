#!/bin/sh
# SPDX-License-Identifier: MIT
# finish.sh - in a build stage: times that are the same in every build, from SOURCE_DATE_EPOCH
set -eu
find /out -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
