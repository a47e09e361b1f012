# SPDX-License-Identifier: MIT
"""What a new user does wrong: `wgmesh doctor`, `wgmesh status` and the node's own words name the cause."""

import os

import pytest

from lib.container import DOCKER_CAPS, Mount
from lib.doctor import GOOD_SECRET, examine, visit
from lib.lab import SECRET
from lib.node import STATE_DIR
from lib.peer import Mesh
from lib.wait import eventually

pytestmark = pytest.mark.asan

OK, FAILURE, NO_WIREGUARD, IO_ERROR, NO_PERMISSION = 0, 1, 69, 74, 77
HOLD = "--on-loop=hold"
PORT = 51820
GOSSIP_PORT = Mesh(GOOD_SECRET).gossip_port


def status(node):
    """What `wgmesh status` shows, on standard output and standard error, whatever it ends with."""
    result = node.exec("wgmesh", "status", check=False)
    return result.stdout + result.stderr


def status_says(node, *words, within=5.0):
    """Wait for a status that has all the words."""
    def has_all():
        shown = status(node)
        assert all(word in shown for word in words), f"{words} in {shown}"
        return True

    eventually(has_all, f"a status with {words}", within)


def log_says(node, *words):
    """An error or a warning of the node's log has all the words."""
    said = [event["msg"] for event in node.events("error") + node.events("warn")]
    assert any(all(word in text for word in words) for text in said), said


def node_of(lab, name, mounts=(), **options):
    """A node with the mesh's secret, and a file for its last words as Kubernetes mounts one."""
    options.setdefault("volume", lab.volume(name))
    (lab.directory / f"{name}.termination").touch()
    last_words = Mount.bind(lab.directory / f"{name}.termination", "/dev/termination-log")
    return lab.node(name, secret=GOOD_SECRET, mounts=[*mounts, last_words], **options)


def last_words(lab, node):
    """What `kubectl describe pod` would show."""
    return (lab.directory / f"{node.name}.termination").read_text()


def test_nobody_gave_the_container_net_admin(lab):
    node = node_of(lab, "node", caps=DOCKER_CAPS, init=[HOLD])
    status_says(node, "NET_ADMIN")
    said = visit(node)
    assert said.code == NO_PERMISSION
    said.find("capabilities", "fail", "CAP_NET_ADMIN", "--cap-add NET_ADMIN")
    said.find("node", "fail", "CAP_NET_ADMIN is missing")
    log_says(node, "CAP_NET_ADMIN is missing", "--cap-add NET_ADMIN")
    assert examine(lab, caps=DOCKER_CAPS).code == node.stop() == NO_PERMISSION
    assert "NET_ADMIN" in last_words(lab, node)


def test_there_is_no_module_and_no_program(lab):
    broken = {"absent": ("/usr/bin/wireguard-go",)}
    node = node_of(lab, "node", init=[HOLD], **broken)
    status_says(node, "no WireGuard")
    said = visit(node)
    assert said.code == NO_WIREGUARD
    said.find("wireguard", "fail", "the kernel has no WireGuard", "modprobe wireguard", "wireguard-go")
    said.find("node", "fail", "no WireGuard")
    log_says(node, "no WireGuard", "modprobe wireguard")
    assert examine(lab, **broken).code == node.stop() == NO_WIREGUARD
    assert "no WireGuard" in last_words(lab, node)


def test_the_disk_is_full_from_the_start(lab):
    full = {"mounts": [Mount.tmpfs(STATE_DIR, "mode=700,uid=65532,gid=65532,size=64k")]}
    node = node_of(lab, "node", volume=None, **full)
    assert node.wait() == IO_ERROR
    log_says(node, STATE_DIR, "free")
    assert STATE_DIR in last_words(lab, node)
    said = examine(lab, **full)
    assert said.code == IO_ERROR
    said.find("storage", "fail", STATE_DIR, "full")


def test_the_disk_fills_up_under_the_node(lab):
    disk = Mount.tmpfs(STATE_DIR, "mode=700,uid=65532,gid=65532,size=4m")
    node = node_of(lab, "node", volume=None, mounts=[disk], init=["--storage-check=1s"])
    node.wait_until_up()
    node.run("sh", "-c", f"cat /dev/zero >{STATE_DIR}/filler", check=False)
    eventually(lambda: node.find_log("is full", level="error"), "the log")
    status_says(node, STATE_DIR, "full")
    said = visit(node)
    assert said.code == IO_ERROR
    said.find("storage", "fail", STATE_DIR, "full", "df -h")


def test_the_secret_is_another_one_than_before(lab):
    volume = lab.volume("state")
    first = node_of(lab, "first", volume=volume)
    first.wait_until_up()
    before = first.mesh_ip
    assert first.stop() == OK
    examine(lab, secret=SECRET, volume=volume).find(
        "secret", "fail", "not the secret that this node had", before)
    node = lab.node("node", secret=SECRET, volume=volume)
    node.wait_until_up()
    said = visit(node)
    said.find("secret", "warn", "once had another secret")
    said.find("peers", "warn", "hears nobody", "network id")
    status_says(node, Mesh(SECRET).network_id[:8].hex(), "0 active", "show the same network id")


def test_the_secret_is_another_one_than_everybody_elses(lab):
    others = node_of(lab, "others")
    node = lab.node("node", secret=SECRET, volume=lab.volume("node"))
    for one in (others, node):
        one.wait_until_up()
    # Both show what there is to compare.
    status_says(others, Mesh(GOOD_SECRET).network_id[:8].hex())
    status_says(node, Mesh(SECRET).network_id[:8].hex())
    said = visit(node, f"--peer={others.port.address}:{GOSSIP_PORT}", "--timeout=1s")
    assert said.code == FAILURE
    said.find("secret", "pass", Mesh(SECRET).network_id[:8].hex())
    said.find("peers", "warn", "hears nobody", "network id")
    said.find("peers", "fail", "the secrets differ, which is likely")


def block(port, *ports):
    wanted = ", ".join(str(number) for number in ports)
    port.run("nft", "add table inet filter; "
             "add chain inet filter input { type filter hook input priority 0; }; "
             f"add rule inet filter input udp dport {{ {wanted} }} drop")


def test_a_port_is_blocked_before_the_start(lab):
    port = lab.port()
    block(port, PORT, GOSSIP_PORT)
    said = examine(lab, port=port)
    assert said.code == FAILURE
    for number in (PORT, GOSSIP_PORT):
        said.find("ports", "fail", str(number), "blocked", "firewall")


def test_the_port_of_wireguard_is_blocked_on_another_node(lab):
    shut = node_of(lab, "shut")
    shut.wait_until_up()
    # Neither can begin: what comes back from the tunnel of the other has this port too.
    block(shut.port, PORT)
    node = node_of(lab, "node")
    status_says(node, "shut", "no handshake", str(PORT), within=15)
    said = eventually(lambda: next((v for v in [visit(node)] if v.lines("peers", "warn")), None),
                      "a doctor that repeats it")
    said.find("peers", "warn", "shut is not connected", "no handshake", str(PORT))


def test_the_ports_are_blocked_under_the_node_itself(lab):
    port = lab.port()
    node = node_of(lab, "node", port=port)
    node.wait_until_up()
    block(port, PORT, GOSSIP_PORT)
    said = visit(node)
    assert said.code == FAILURE
    said.find("ports", "fail", str(GOSSIP_PORT), "blocked", "firewall")
    other = node_of(lab, "other")
    other.wait_until_up()
    status_says(node, "other", "no handshake", within=15)


def test_the_port_is_taken(lab):
    first = node_of(lab, "first")
    first.wait_until_up()
    # A second node of another mesh in the same network namespace: what host networking does.
    second = lab.node("second", secret=SECRET, volume=lab.volume("second"), port=first.port,
                      env={"WGMESH_INTERFACE": "wg1"})
    eventually(lambda: second.find_log(str(PORT), level="error"), "the log")
    said = visit(second)
    said.find("ports", "fail", str(PORT), "taken", "--listen-port")


def test_the_volume_is_not_the_users(lab):
    volume = lab.volume("state")
    os.chown(volume, 1000, 1000)
    volume.chmod(0o700)
    caps = (DOCKER_CAPS | {"net_admin"}) - {"chown", "dac_override", "fowner"}
    node = node_of(lab, "node", volume=volume, caps=caps)
    assert node.wait() == NO_PERMISSION
    log_says(node, STATE_DIR, "1000:1000")
