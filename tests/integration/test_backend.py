# SPDX-License-Identifier: MIT
"""The kernel's WireGuard where there is one, a userspace one where there is none, and nobody else's."""

import json
import os
import signal
import stat

import pytest

from lib.container import Mount
from lib.doctor import idle
from lib.lab import CHECKOUT, SECRET
from lib.node import SECRET_FILE, STATE_DIR, Node
from lib.wait import eventually

pytestmark = pytest.mark.asan

PEERS = 1000
NO_WIREGUARD, POLICY = 69, 78
KINDS = {"kernel": "wireguard", "userspace": "tun"}


@pytest.fixture
def available(lab):
    """The back end that this machine is expected to use."""
    made = lab.port().run("ip", "link", "add", "probe", "type", "wireguard", check=False)
    return "kernel" if made.returncode == 0 else "userspace"


def status(node):
    result = node.run("wgmesh", "status", "--json", check=False)
    return json.loads(result.stdout) if result.returncode == 0 else {}


@pytest.mark.kernel
def test_the_kernels_wireguard_is_used_where_there_is_one_and_status_says_so(lab, available):
    node = lab.node("node", volume=lab.volume("state"))
    eventually(lambda: status(node).get("backend") == available, f"a status that says {available}")
    shown = node.run("ip", "-details", "link", "show", "wg0").stdout
    assert f" {KINDS[available]} " in shown
    assert node.find_log("kernel's WireGuard" if available == "kernel" else "userspace WireGuard")


@pytest.mark.kernel
def test_the_backend_that_was_asked_for_is_used_or_the_start_is_refused(lab, available):
    node = lab.node("node", volume=lab.volume("state"), join=["--backend=kernel"])
    if available == "kernel":
        eventually(lambda: status(node).get("backend") == "kernel", "the kernel's WireGuard")
    else:
        assert node.wait() == NO_WIREGUARD
        assert any("modprobe wireguard" in event["msg"] for event in node.events("error"))


@pytest.mark.kernel
def test_the_doctor_names_the_wireguard_that_a_start_will_use(lab, available):
    box = idle(lab)
    shown = box.exec("wgmesh", "doctor", "--json", check=False)
    line, = (check for check in json.loads(shown.stdout)["checks"] if check["name"] == "wireguard")
    if available == "kernel":
        assert line["result"] == "pass" and "kernel" in line["text"]
    else:
        assert line["result"] == "warn" and "modprobe wireguard" in line["cure"]
    # Whatever it made to find that out is gone.
    assert "wg" not in box.run("ip", "-brief", "link").stdout


def test_the_userspace_backend_is_used_on_request(lab):
    node = lab.node("node", volume=lab.volume("state"), join=["--backend=userspace"])
    eventually(lambda: status(node).get("backend") == "userspace", "userspace WireGuard")


@pytest.mark.kernel
def test_a_foreign_interface_of_that_name_is_refused_and_left_alone(lab, available):
    port = lab.port()
    kind = "wireguard" if available == "kernel" else "veth peer name foreign"
    port.ip(f"link add wg0 type {kind}", "addr add 192.0.2.1/24 dev wg0")
    before = port.run("ip", "address", "show", "wg0").stdout
    node = lab.node("node", volume=lab.volume("state"), port=port)
    assert node.wait() == POLICY
    said = [event["msg"] for event in node.events("error")]
    assert any("interface wg0 exists" in text and "--interface" in text for text in said), said
    assert port.run("ip", "address", "show", "wg0").stdout == before


def test_down_takes_ours_down_and_leaves_others_alone(lab):
    node = lab.node("node", volume=lab.volume("state"), init=["--restart=never"])
    node.wait_until_up()
    node.port.ip("link add theirs type veth peer name foreign")
    refused = node.run("wgmesh", "down", "--interface=theirs", check=False)
    assert refused.returncode == POLICY and "theirs" in refused.stderr
    assert {"theirs", "wg0"} <= set(node.port.links())
    assert node.run("wgmesh", "down", "--interface=absent").stdout == ""
    # A node that runs would end, and its container with it, before the command has returned.
    node.mesh_process().signal(signal.SIGSTOP)
    node.run("wgmesh", "down")
    assert "wg0" not in node.port.links() and "theirs" in node.port.links()


@pytest.mark.kernel
def test_what_wireguard_has_is_what_was_set_for_a_thousand_peers(lab, variant, available):
    tool = "/usr/local/bin/wgtool"
    box = lab.container("box", ["sleep", "1000"],
                        mounts=[Mount.bind(CHECKOUT / "build" / variant / "wgtool", tool)])
    assert box.run(tool, "up", "wg0", "auto").stdout.split() == [available, "created"]
    compared = box.run(tool, "peers", "wg0", str(PEERS), timeout=60).stdout
    for there in (PEERS, PEERS // 2):
        assert f"{there} peers wanted, {there} there, 0 of them wrong" in compared
    box.run(tool, "down", "wg0")
    assert "wg0" not in box.port.links()


def start_with_private_tun(lab, *mounts):
    """A node whose /dev/net/tun only root may open, as on hosts that are strict about it."""
    secret = lab.secret_file(SECRET)
    script = "chmod 600 /dev/net/tun && exec wgmesh-init -- wgmesh join --backend userspace"
    return lab.container("node", ["sh", "-c", script], kind=Node,
                         env={"WGMESH_SECRET_FILE": SECRET_FILE},
                         mounts=[Mount.bind(secret, SECRET_FILE, read_only=True),
                                 Mount.bind(lab.volume("state"), STATE_DIR), *mounts])


def test_a_tun_device_that_only_root_may_open_is_given_to_the_daemon(lab):
    node = start_with_private_tun(lab)
    eventually(node.has_interface, "the interface")
    tun = node.root("/dev/net/tun").stat()
    assert (tun.st_uid, stat.S_IMODE(tun.st_mode)) == (65532, 0o600)


def test_a_tun_device_of_the_host_is_left_as_it_is(lab):
    theirs = lab.directory / "tun"
    os.mknod(theirs, stat.S_IFCHR | 0o600, os.makedev(10, 200))
    node = start_with_private_tun(lab, Mount("file", str(theirs), "/dev/net/tun", "rw"))
    assert node.wait() == NO_WIREGUARD
    assert any("/dev/net/tun" in event["msg"] for event in node.events("error"))
    assert theirs.stat().st_uid == 0
