#!/bin/sh
# SPDX-License-Identifier: MIT
# debian13.sh DIR - unpack Debian 13 with its container engines into DIR/root, unless it is there already
#
# From the mirror that this machine's own packages come from. Nothing is installed, nothing in it runs here.
set -eu
dir=$1
packages="ca-certificates catatonit conmon crun docker.io docker-buildx docker-cli docker-compose fuse-overlayfs
    iproute2 iptables kubernetes-client netavark aardvark-dns nftables podman procps runc slirp4netns
    tini uidmap"
wanted=$(echo "$packages" | cksum)
[ "$(cat "$dir/made" 2>/dev/null)" != "$wanted" ] || exit 0

# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
# shellcheck disable=SC2016 # apt's variables, not the shell's
mirror=$(apt-get indextargets --no-release-info --format '$(COMPONENT) $(RELEASE) $(REPO_URI)' \
    'Created-By: Packages' | sed -n "s/^main $codename //p" | head -n 1)
if [ -z "$mirror" ]; then
    echo "debian13.sh: this machine's apt knows no mirror with a component main" >&2
    exit 1
fi

rm -rf "$dir"
mkdir -p "$dir"
list=$(echo "$packages" | tr -s ' \n' ',')
mmdebstrap --quiet --mode=root --variant=minbase --include="$list" \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    trixie "$dir/root" "$mirror" || {
    echo "debian13.sh: cannot make Debian 13 from $mirror" >&2
    exit 1
}
echo "$wanted" >"$dir/made"
