# SPDX-License-Identifier: MIT
"""The distroless image under crun, with the kernel's WireGuard: runs in the virtual machine only."""

import pathlib
import re
import signal
import subprocess

import pytest

from bundle import Bundle
from lib import image
from lib.lab import SECRET
from lib.ping import Ping
from lib.wait import eventually

DISK = pathlib.Path("/disk")
POLICY, OUT_OF_MEMORY = 78, 137
MIB = 1 << 20


@pytest.fixture(scope="module")
def unpacked(archive):
    """The image's files, and what it says of its start."""
    rootfs = DISK / "rootfs"
    rootfs.mkdir()
    return rootfs, image.unpack(archive, rootfs)


@pytest.fixture
def start(lab, unpacked):
    """Start a node; by default with a volume of its name, on a disk as an engine's."""
    lab.secrets.add(SECRET)

    def start_one(name, port=None, has_volume=True, **options):
        volume = DISK / "volumes" / name / "_data" if has_volume else None
        if volume and not volume.exists():
            volume.mkdir(parents=True)
        node = Bundle(name, port or lab.port(), lab.directory / "bundles", unpacked, volume,
                      options.pop("secret", SECRET), **options)
        lab.containers.append(node)
        return node

    nodes = []
    yield lambda *args, **options: nodes.append(start_one(*args, **options)) or nodes[-1]
    for node in nodes:
        node.destroy()


def restarted(node, old):
    """A new daemon, complete and with none of the old processes."""
    now = node.daemons()
    return not {p.pid for p in old} & {p.pid for p in now} and node.netadmin() and node.mesh_process()


def is_healthy(node):
    return node.exec("/usr/local/bin/wgmesh-init", "healthcheck", check=False).returncode == 0


@pytest.fixture
def pair(start):
    one, two = start("one"), start("two")
    eventually(lambda: is_healthy(one) and is_healthy(two), "health", 20)
    eventually(lambda: one.pings(two.mesh_ip) and two.pings(one.mesh_ip), "the tunnel", 20)
    return one, two


def test_two_containers_of_the_image_form_a_mesh(pair):
    one, two = pair
    assert one.find_log("kernel's WireGuard") and one.find_log("persistent: ")
    assert one.handshakes()[two.public_key] > 0
    assert one.netadmin().caps("Eff") == {12} and not one.mesh_process().caps("Eff")
    assert re.search(r"^\S+ / \S+ ro,", one.init.read("mounts").decode(), re.MULTILINE)


def test_a_stop_takes_the_interface_down_and_a_start_brings_the_same_node_back(start):
    node = start("kept")
    eventually(lambda: is_healthy(node), "health", 20)
    identity = node.identity()
    assert node.has_interface()
    assert node.stop(20) == 0
    assert not node.has_interface()
    again = start("kept", port=node.port)
    eventually(lambda: is_healthy(again), "health", 20)
    assert again.identity() == identity
    assert again.wait_for_event("proof_judged")["proof"] == "restart"


def test_a_crash_of_the_daemon_loses_no_packet(pair):
    one, two = pair
    old = one.daemons()
    ping = Ping(one, two.mesh_ip)
    one.mesh_process().signal(signal.SIGKILL)
    eventually(lambda: restarted(one, old), "the daemon's restart", 20)
    one.wait_for_log("adopt")
    assert ping.lost() == []


def test_without_a_volume_the_shipped_node_is_refused_and_says_what_to_do(start):
    node = start("forgotten", has_volume=False)
    assert node.wait(20) == POLICY
    assert node.find_log("-v wgmesh-state:/var/lib/wgmesh")


def test_without_a_volume_a_node_that_may_write_into_its_layer_is_warned(start):
    node = start("warned", has_volume=False, read_only=False, env={"WGMESH_PERSISTENCE": "warn"})
    eventually(lambda: is_healthy(node), "health", 20)
    assert node.find_log("gives this node a new key", level="error")


# In the cgroup, and never chosen itself: takes memory until somebody was killed for it.
EAT = """
import pathlib, sys
cgroup = pathlib.Path(sys.argv[1])
pathlib.Path("/proc/self/oom_score_adj").write_text("-1000")
(cgroup / "cgroup.procs").write_text("0")
eaten = []
while "oom_kill 0\\n" in (cgroup / "memory.events").read_text():
    eaten.append(bytearray(65536))
"""


def exhaust_memory(node, victim):
    """Take all the memory of the node's container, so that the kernel kills `victim` first."""
    pathlib.Path(f"/proc/{victim.pid}/oom_score_adj").write_text("1000")
    # Whoever is left in the cgroup of a container that has ended is killed by crun.
    subprocess.run(["/usr/bin/python3", "-I", "-c", EAT, node.cgroup], check=False)


def test_a_daemon_that_takes_too_much_memory_is_started_again_in_the_same_container(start):
    node = start("small", memory=32 * MIB)
    eventually(lambda: is_healthy(node), "health", 20)
    identity, old = node.identity(), node.daemons()
    exhaust_memory(node, node.mesh_process())
    eventually(lambda: restarted(node, old), "the daemon's restart", 20)
    assert node.find_log("ran out of memory (limit 32 MiB)")
    assert node.is_running() and node.identity() == identity


def test_with_oom_group_the_container_ends_and_its_successor_is_the_same_node(start):
    node = start("grouped", memory=32 * MIB, oom_group=True)
    eventually(lambda: is_healthy(node), "health", 20)
    identity = node.identity()
    exhaust_memory(node, node.mesh_process())
    assert node.wait(20) == OUT_OF_MEMORY
    again = start("grouped", port=node.port, memory=32 * MIB, oom_group=True)
    eventually(lambda: is_healthy(again), "health", 20)
    assert again.identity() == identity
