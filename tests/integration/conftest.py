# SPDX-License-Identifier: MIT
"""A promise of all these tests together: nothing on the machine has changed."""

import os
import pathlib
import subprocess

import pytest

from lib.lab import CHECKOUT

WATCHED = ("/run", "/var/lib", "/data", "/etc/wgmesh", "/var/lib/wgmesh", "/run/wireguard",
           "/run/wgmesh")


def listing(path):
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return None


def ip(*argv):
    shown = subprocess.run(["ip", "-oneline", *argv], text=True, stdout=subprocess.PIPE, check=True)
    return sorted(line.partition(" valid_lft ")[0] for line in shown.stdout.splitlines())


def machine():
    """All that a leaky test would touch."""
    state = {path: listing(path) for path in WATCHED}
    state["links"] = ip("link")
    state["addresses"] = ip("address")
    state["routes"] = ip("route") + ip("-6", "route")
    # Others mount and unmount all the time; ours are all below the checkout.
    mounts = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    state["mounts"] = [line for line in mounts if str(CHECKOUT) in line]
    return state


@pytest.fixture(scope="session", autouse=True)
def nothing_on_the_machine_changes():
    before = machine()
    yield
    assert machine() == before
