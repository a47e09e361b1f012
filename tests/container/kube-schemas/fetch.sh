#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch.sh DIR - install the validators that package-lock.json names into DIR, unless they are there already
set -eu
dir=$1
here=$(dirname "$0")
cmp -s "$here/package-lock.json" "$dir/made" && exit 0

# Debian's, but not beside another one that brings its own.
command -v npm >/dev/null || "$here/../../install.sh" nodejs npm
rm -rf "$dir"
mkdir -p "$dir"
cp "$here/package.json" "$here/package-lock.json" "$dir"
npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund --loglevel=error >"$dir/log" 2>&1 || {
    echo "fetch.sh: npm cannot install what package-lock.json names:" >&2
    cat "$dir/log" >&2
    exit 1
}
cp "$here/package-lock.json" "$dir/made"
