# SPDX-License-Identifier: MIT
"""Debian's Prometheus as an image, and its API on the machine whose port it is published at."""

import json
import pathlib
import subprocess
import tarfile
import urllib.parse

from box import CHECKOUT
from engines import add_programs, libraries

IMAGE = "localhost/wgmesh-test:prometheus"
PROGRAM = CHECKOUT / "build" / "prometheus" / "prometheus"
NOBODY = 65534


def prometheus_tar(path):
    """What the published image has: the program, run as nobody, and a place for its data."""
    files = {"bin/prometheus": PROGRAM, **{name.lstrip("/"): name for name in libraries(PROGRAM)}}
    with tarfile.open(path, "w") as tar:
        for name in ("prometheus", "etc/prometheus"):
            directory = tarfile.TarInfo(name)
            directory.type, directory.mode = tarfile.DIRTYPE, 0o755
            directory.uid = directory.gid = NOBODY
            tar.addfile(directory)
        add_programs(tar, files)


def image(engine):
    """The name of the image, once the engine has it."""
    tar = engine.box.directory / "prometheus.tar"
    if not tar.exists():
        prometheus_tar(tar)
    engine("import", "--change", 'ENTRYPOINT ["/bin/prometheus"]', "--change", f"USER {NOBODY}", tar, IMAGE)
    return IMAGE


def api(engine, path, **parameters):
    """The data that it answers; None before it does."""
    url = f"http://127.0.0.1:9090/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    # A program of this machine, in the network of the engine's.
    said = subprocess.run(["nsenter", "-t", engine.room.pid, "-n", "curl", "-sSf", "-m", "5", url], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return json.loads(said.stdout)["data"] if said.returncode == 0 else None


def query(engine, expression):
    """The samples of an expression: labels and a number."""
    data = api(engine, "query", query=expression) or {"result": []}
    return [(sample["metric"], float(sample["value"][1])) for sample in data["result"]]
