# SPDX-License-Identifier: MIT
"""What `make images` wrote: an image's configuration, its files and its SBOM, read without an engine."""

import dataclasses
import gzip
import hashlib
import io
import json
import tarfile

from engines import IMAGES, VERSION

KINDS = {"distroless": f"wgmesh-{VERSION}", "full": f"wgmesh-{VERSION}-full"}


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file of an image."""

    info: tarfile.TarInfo
    content: bytes

    def sha256(self):
        return hashlib.sha256(self.content).hexdigest()


def gather(layers):
    """The files of layers, by their names from the root on."""
    files = {}
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
            for info in tar:
                content = tar.extractfile(info).read() if info.isfile() else b""
                files[f"/{info.name.strip('/')}"] = Entry(info, content)
    return files


class ImageFile:
    """One of the archives.

    kind  "distroless" or "full"
    """

    def __init__(self, kind, arch="amd64", directory=IMAGES):
        self.path = directory / f"{KINDS[kind]}-{arch}.tar"
        self.sbom_path = directory / f"{KINDS[kind]}-{arch}.spdx.json"
        assert self.path.exists(), f"{self.path} is missing: make images ARCHES={arch}"
        with tarfile.open(self.path) as tar:
            members = {info.name: tar.extractfile(info).read() for info in tar}
        (self.manifest,) = json.loads(members["manifest.json"])
        self.config_text = members[self.manifest["Config"]]
        self.config = json.loads(self.config_text)
        self.layers = [members[name] for name in self.manifest["Layers"]]
        self.files = gather(self.layers)

    def compressed_size(self):
        """Bytes that a registry would keep and a node would pull, at the level of engines."""
        return sum(len(gzip.compress(layer, 6)) for layer in self.layers)

    def sbom(self):
        return json.loads(self.sbom_path.read_text(encoding="utf-8"))

    def unpack(self, directory):
        """Its regular files, below a directory."""
        for name, entry in self.files.items():
            if entry.info.isfile():
                path = directory / name.lstrip("/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(entry.content)
                path.chmod(entry.info.mode)
