# SPDX-License-Identifier: MIT
"""Engines come and go without a trace on the machine: processes, mounts, devices, cgroups, networks, files."""

import os
import pathlib
import subprocess
import uuid

import pytest

from box import BUSYBOX, WIREGUARD, Box, Unavailable
from engines import ENGINES, PLAIN, image_tar
from lib.wait import eventually

# Where engines write on a machine when nobody keeps them from it, and what they call their interfaces.
KEPT = ("/etc/containers", "/etc/docker", "/var/lib/containers", "/var/lib/docker", "/var/lib/cni")
LINKS = ("bridge", "br-", "cni", "docker", "podman", "uplink", "veth")


def namespaces():
    """Every namespace that a process is in."""
    found = set()
    for entry in pathlib.Path("/proc").glob("[0-9]*/ns/*"):
        try:
            found.add(os.readlink(entry))
        except OSError:
            continue
    return found


def processes_with(text):
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            argv = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in argv:
            found.append(argv)
    return found


def said(*argv):
    return subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False).stdout


def machine():
    """What an engine changes on a machine: its networks and its rules, without their counters."""
    rules = [line for line in said("iptables-save").splitlines() if not line.startswith((":", "#"))]
    links = [line for line in said("ip", "-br", "link").splitlines() if line.startswith(LINKS)]
    settings = [pathlib.Path(f"/proc/sys/net/ipv4/{name}").read_text(encoding="ascii")
                for name in ("ip_forward", "conf/all/forwarding")]
    return rules, links, settings


def test_nothing_of_a_box_is_left_when_it_is_closed():
    before, name = machine(), f"left-{uuid.uuid4().hex[:12]}"
    try:
        with Box() as box:
            tar = box.directory / "image.tar"
            image_tar(tar, BUSYBOX, WIREGUARD)
            engines = [ENGINES[name](box, tar) for name in ("docker", "docker13", "podman", "podman13")]
            for engine in engines:
                engine("network", "create", name)
                # Nobody stops or removes these.
                engine("run", "-d", "--name", name, "--network", name, "-p", "8080:80", PLAIN,
                       "busybox", "sleep", "1000")
            inside = {os.readlink(f"/proc/{engine.room.pid}/ns/{kind}") for engine in engines
                      for kind in ("mnt", "net", "pid")}
            inside -= {os.readlink(f"/proc/self/ns/{kind}") for kind in ("mnt", "net", "pid")}
            assert inside <= namespaces()
            directory, cgroup = str(box.directory), box.cgroup
            assert directory in said("losetup", "--list") and processes_with(directory)
    except Unavailable as missing:
        pytest.skip(f"no container engine can run here, for lack of {missing}")

    eventually(lambda: not inside & namespaces(), "the end of its namespaces", within=20)
    eventually(lambda: directory not in said("losetup", "--list"), "the end of its disks", within=20)
    assert processes_with(directory) == []
    assert directory not in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    assert not os.path.exists(directory)
    assert not list(pathlib.Path("/sys/fs/cgroup").glob(f"*/{cgroup}*"))
    assert not list(pathlib.Path("/sys/fs/cgroup").glob(cgroup))
    assert machine() == before
    assert not [path for kept in KEPT for path in pathlib.Path(kept).rglob(f"*{name}*")]
