#!/bin/sh
# SPDX-License-Identifier: MIT
# sbom.sh NAME ARCH - in a build stage: what is in /out/rootfs, as SPDX 2.3, into /out/wgmesh.spdx.json
#
# Reads what the steps before this one left: /out/linked and, of the full image, /out/shipped. Needs
# SOURCE_DATE_EPOCH in the environment.
set -eu
name=$1 arch=$2
here=$(dirname "$0")
# shellcheck source=images/arch.sh
. "$here/arch.sh"
root=/out/rootfs
version=$(sed -n 's/^VERSION := //p' Makefile)
work=$(mktemp -d)

# quote TEXT - as a JSON string; nothing that would have to be escaped occurs in names and versions
quote() {
    case $1 in
        *[\"\\]* | *[![:print:]]*)
            echo "sbom.sh: '$1' is no name" >&2
            exit 1
            ;;
    esac
    printf '"%s"' "$1"
}

# license FILE - what a machine-readable copyright file says of the whole, in SPDX's words
license() {
    said=$(sed -n '/^Files: \*$/,/^$/s/^License: *//p' "$1" | head -n 1)
    spdx=$(echo "$said" | sed -E -f "$here/licenses.sed")
    echo "${spdx:-NOASSERTION}"
}

# comma - between the elements of a list; the first line of input gets none before it
comma() {
    sed '1!s/^/,/'
}

# package NAME VERSION LICENSE PURL
package() {
    printf '{"SPDXID":"SPDXRef-Package-%s","name":%s,"versionInfo":%s,' "$1" "$(quote "$1")" "$(quote "$2")"
    printf '"downloadLocation":"NOASSERTION","filesAnalyzed":false,"licenseConcluded":"NOASSERTION",'
    printf '"licenseDeclared":%s,"copyrightText":"NOASSERTION",' "$(quote "$3")"
    printf '"supplier":"Organization: Debian","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER",'
    printf '"referenceType":"purl","referenceLocator":%s}]}\n' "$(quote "$4")"
}

# purl NAME VERSION - signs that have a meaning in one are written as numbers
purl() {
    qualifier="arch=$arch"
    [ "$1" != qrencode ] || qualifier="arch=source"
    echo "pkg:deb/debian/$1@$(echo "$2" | sed 's/+/%2B/g; s/:/%3A/g; s/~/%7E/g')?$qualifier&distro=debian-13"
}

others() {
    {
        cut -d' ' -f2- /out/linked
        # shellcheck disable=SC2016 # dpkg's variables
        dpkg-query --show -f '${Package} ${Version} /usr/share/doc/${Package}/copyright\n' ca-certificates
        [ ! -e /out/shipped ] || cat /out/shipped
    } | sort -u | while read -r its_name its_version copyright; do
        package "$its_name" "$its_version" "$(license "$copyright")" "$(purl "$its_name" "$its_version")"
    done
}

files() {
    number=0
    find "$root" -type f -printf '%P\n' | LC_ALL=C sort | while read -r path; do
        number=$((number + 1))
        sha1=$(sha1sum <"$root/$path" | cut -d' ' -f1)
        sha256=$(sha256sum <"$root/$path" | cut -d' ' -f1)
        echo "$sha1" >>"$work/sha1"
        echo "$number $path" >>"$work/numbers"
        printf '{"SPDXID":"SPDXRef-File-%s","fileName":%s,"checksums":[' "$number" "$(quote "./$path")"
        printf '{"algorithm":"SHA1","checksumValue":"%s"},' "$sha1"
        printf '{"algorithm":"SHA256","checksumValue":"%s"}],' "$sha256"
        printf '"licenseConcluded":"NOASSERTION","copyrightText":"NOASSERTION"}\n'
    done
}

relation() {
    printf '{"spdxElementId":"SPDXRef-%s","relationshipType":"%s","relatedSpdxElement":"SPDXRef-%s"}\n' "$1" "$2" "$3"
}

relations() {
    relation DOCUMENT DESCRIBES Package-image
    while read -r number _; do
        relation Package-image CONTAINS "File-$number"
    done <"$work/numbers"
    while read -r program package _; do
        number=$(sed -n "s|^\([0-9]*\) usr/local/bin/$program\$|\1|p" "$work/numbers")
        relation "File-$number" STATIC_LINK "Package-$package"
    done </out/linked
    relation Package-image CONTAINS Package-ca-certificates
    [ ! -e /out/shipped ] || while read -r package _; do
        relation Package-image CONTAINS "Package-$package"
    done </out/shipped
}

files | comma >"$work/files.json"
others | comma >"$work/others.json"
relations | comma >"$work/relations.json"
# As the standard has it: over the sums of all files in the order of the sums.
code=$(LC_ALL=C sort "$work/sha1" | tr -d '\n' | sha1sum | cut -d' ' -f1)
{
    printf '{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT",\n'
    printf '"name":"%s-%s-%s",\n' "$name" "$version" "$arch"
    printf '"documentNamespace":"https://spdx.org/spdxdocs/%s-%s-%s-%s",\n' "$name" "$version" "$arch" "$code"
    printf '"creationInfo":{"created":"%s",' "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)"
    printf '"creators":["Organization: wgmesh","Tool: images/sbom.sh-%s"]},\n"packages":[\n' "$version"
    printf '{"SPDXID":"SPDXRef-Package-image","name":"%s","versionInfo":"%s",' "$name" "$version"
    printf '"downloadLocation":"NOASSERTION","filesAnalyzed":true,"primaryPackagePurpose":"CONTAINER",'
    printf '"packageVerificationCode":{"packageVerificationCodeValue":"%s"},' "$code"
    printf '"licenseConcluded":"NOASSERTION","licenseDeclared":"MIT","copyrightText":"NOASSERTION"},\n'
    cat "$work/others.json"
    printf '],\n"files":[\n'
    cat "$work/files.json"
    printf '],\n"relationships":[\n'
    cat "$work/relations.json"
    printf ']}\n'
} >/out/wgmesh.spdx.json
rm -r "$work"
