# SPDX-License-Identifier: MIT
"""What a reader has to know about the machine, and nothing that identifies it."""

import os
import pathlib
import platform
import subprocess

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build" / "release"


def output_of(*argv):
    return subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def version_of(package):
    return package, output_of("dpkg-query", "-W", "-f", "${Version}", package)


def machine(file_system):
    """Pairs of name and value; `file_system` is what state is kept on in the measurements."""
    cpus = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in cpus if line.startswith("model name")),
                 platform.machine())
    yield "kernel", f"Linux {platform.release()}, {platform.machine()}"
    yield "processors", f"{len(os.sched_getaffinity(0))}, {model}"
    yield "file system of the volume", file_system
    yield "wgmesh-init", output_of(BUILD / "wgmesh-init", "version").split()[-1]


def engine(running):
    """The same of an engine that runs."""
    yield running.name, running("version", "--format", "{{.Server.Version}}").stdout.strip()
    yield version_of("wireguard-go")
    yield version_of("tini")
