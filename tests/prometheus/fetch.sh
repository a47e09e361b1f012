#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch.sh DIR - unpack the distribution's Prometheus into DIR, unless one is there already
#
# Leaves DIR/prometheus and DIR/promtool. Nothing is installed, and so no service is started. apt
# checks what it downloads against the archive's signed lists.
set -eu
dir=$1
[ ! -x "$dir/promtool" ] || exit 0

rm -rf "$dir"
mkdir -p "$dir"
cd "$dir"
# The download needs no sandbox user, who could not write here.
apt-get -q -o APT::Sandbox::User=root download prometheus
dpkg -x prometheus_*.deb tree
rm -- *.deb
# promtool last: its presence says that all of this was done.
mv tree/usr/bin/prometheus prometheus
mv tree/usr/bin/promtool promtool
rm -rf tree
