#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""archive.py - write an image that podman saved in one form that depends on its content alone, with its name and SBOM."""

import argparse
import gzip
import hashlib
import io
import json
import pathlib
import tarfile

CONFIG = ("Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "StopSignal")
# The level at which engines compress what they push.
AS_PUSHED = 6
HISTORY = ("created", "created_by", "empty_layer")


def read(path):
    """The members of an archive by name."""
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def canonical(text):
    """The configuration, without the names of the containers it was made in."""
    config = json.loads(text)
    kept = {key: config[key] for key in ("architecture", "created", "os", "rootfs")}
    kept["config"] = {key: config["config"][key] for key in CONFIG}
    labels = kept["config"]["Labels"]
    kept["config"]["Labels"] = {name: value for name, value in labels.items() if value}
    kept["history"] = [{key: step[key] for key in HISTORY if key in step} for step in config["history"]]
    return json.dumps(kept, sort_keys=True).encode()


def archive(files, tag):
    """Configuration, layers and manifest, as `docker load` and `podman load` take them."""
    (image,) = json.loads(files["manifest.json"])
    layers = image["Layers"]
    text = canonical(files[image["Config"]])
    config = f"{hashlib.sha256(text).hexdigest()}.json"
    manifest = [{"Config": config, "RepoTags": [tag], "Layers": layers}]
    members = {config: text, **{layer: files[layer] for layer in layers},
               "manifest.json": json.dumps(manifest).encode()}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue(), [files[layer] for layer in layers]


def sbom_of(files):
    """The one file of the image that holds nothing else."""
    (image,) = json.loads(files["manifest.json"])
    with tarfile.open(fileobj=io.BytesIO(files[image["Layers"][-1]])) as tar:
        return tar.extractfile("wgmesh.spdx.json").read()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tag", required=True, help="name of the image")
    parser.add_argument("--sbom", required=True, type=pathlib.Path, help="image that holds the SBOM")
    parser.add_argument("saved", type=pathlib.Path, help="what podman saved")
    parser.add_argument("out", help="path to write to, without .tar and .spdx.json")
    args = parser.parse_args()
    content, layers = archive(read(args.saved), args.tag)
    pathlib.Path(f"{args.out}.spdx.json").write_bytes(sbom_of(read(args.sbom)))
    # Renamed into place: whoever waits for the image never sees half of it.
    new = pathlib.Path(f"{args.out}.tar.new")
    new.write_bytes(content)
    new.replace(f"{args.out}.tar")
    size = sum(len(gzip.compress(layer, AS_PUSHED)) for layer in layers)
    print(f"{args.out}.tar: {len(content) / 2**20:.2f} MiB, {size / 2**20:.2f} MiB compressed")


if __name__ == "__main__":
    main()
