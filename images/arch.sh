#!/bin/sh
# SPDX-License-Identifier: MIT
# arch.sh - to be sourced with $arch set to Debian's name of an architecture, or empty: the other names of it
: "${arch:=$(dpkg --print-architecture)}"
# shellcheck disable=SC2034 # for whoever sources this
case $arch in
    amd64) gnu=x86_64-linux-gnu ;;
    arm64) gnu=aarch64-linux-gnu ;;
    *)
        echo "images: no image is made for $arch, but for amd64 and arm64" >&2
        exit 1
        ;;
esac
