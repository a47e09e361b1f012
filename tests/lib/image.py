# SPDX-License-Identifier: MIT
"""An image as `docker save` writes it: its files and its configuration, without an engine."""

import json
import shutil
import subprocess
import tarfile
import tempfile


def unpack(archive, top):
    """Unpack all layers into an empty directory; returns what the image says of its start."""
    with tarfile.open(archive) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))[0]
        for layer in manifest["Layers"]:
            # From a file, tar(1) finds out itself how it is compressed.
            with tempfile.NamedTemporaryFile() as plain:
                shutil.copyfileobj(tar.extractfile(layer), plain)
                plain.flush()
                subprocess.run(["tar", "-x", "--numeric-owner", "-f", plain.name, "-C", top], check=True)
        return json.load(tar.extractfile(manifest["Config"]))["config"]
