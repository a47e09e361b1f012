# SPDX-License-Identifier: MIT
"""Two nodes with one mesh address: one gives way, for good, and not for ever."""

import json

import pytest

from lib import rpc
from lib.lab import SECRET
from lib.peer import Mesh, new_key
from lib.wait import eventually

pytestmark = pytest.mark.asan


def colliding(n=2):
    """Key pairs with one mesh address, the lowest public key first."""
    mesh, seen = Mesh(SECRET), {}
    while True:
        private, public = new_key()
        found = seen.setdefault(mesh.mesh_ip(public), [])
        found.append((public, private))
        if len(found) == n:
            return sorted(found)


def volume_with(lab, name, pair):
    """A volume with a key; the node adds the addresses."""
    volume = lab.volume(name)
    file = volume / "wg0.json"
    file.write_text(json.dumps({"wg_pubkey": pair[0], "wg_private_key": pair[1]}, indent=2))
    file.chmod(0o600)
    return volume


def addresses(node):
    shown = node.run("ip", "-4", "-oneline", "address", "show", "dev", "wg0").stdout
    return [line.split()[3] for line in shown.splitlines()]


@pytest.mark.kernel
def test_the_higher_key_takes_another_address_and_keeps_it(lab):
    low, high = colliding()
    one = lab.node("one", volume=volume_with(lab, "one", low))
    contested = one.mesh_ip
    one.wait_until_up()
    volume = volume_with(lab, "two", high)
    two = lab.node("two", volume=volume)
    moved = two.wait_for_event("address_moved")["mesh_ip"]
    assert moved != contested
    assert one.mesh_ip == contested and two.state()["mesh_ip"] == moved
    eventually(lambda: one.pings(moved) and two.pings(contested), "pings both ways")
    assert addresses(two) == [f"{moved}/16"]
    assert rpc.ask(two, "daemon.status")["mesh_ip"] == moved
    # It answers existing nodes' probes there, and not at the old one.
    listening = two.run("ss", "-Htln").stdout
    assert f"{moved}:" in listening and f"{contested}:" not in listening
    two.stop()
    again = lab.node("again", volume=volume)
    eventually(lambda: again.pings(contested), "the tunnel after a restart")
    assert again.mesh_ip == moved and addresses(again) == [f"{moved}/16"]


def test_an_advertised_route_and_other_tunnels_outlive_the_move(lab):
    low, high = colliding()
    two = lab.node("two", volume=volume_with(lab, "two", high))
    site = lab.node("site", volume=lab.volume("site"), join=["--advertise-routes", "192.168.77.0/24"])
    eventually(lambda: two.pings(site.mesh_ip), "the tunnel")
    lab.node("one", volume=volume_with(lab, "one", low))
    two.wait_for_event("address_moved")
    eventually(lambda: two.pings(site.mesh_ip), "the tunnel still")
    assert "192.168.77.0/24" in two.run("ip", "route", "show", "dev", "wg0").stdout


def test_hearsay_makes_nobody_move(lab):
    node = lab.node("one", volume=lab.volume("one"))
    mine = node.mesh_ip
    node.wait_until_up()
    member = lab.peer("member")
    liar = {"wg_pubkey": "A" * 42 + "E=", "mesh_ip": mine, "wg_endpoint": "192.0.2.1:51820"}
    for _ in range(5):
        member.hello(node.port.address, known_peers=[liar])
    assert node.mesh_ip == mine and not node.find_log("another address")


def test_a_member_with_lower_and_lower_keys_does_not_make_a_node_move_for_ever(lab):
    node = lab.node("one", volume=lab.volume("one"))
    node.wait_until_up()
    member = lab.peer("hostile")

    def push():
        """One more claim of whatever address the node has, by the lowest key there is."""
        member.hello(node.port.address, wg_pubkey="+" * 42 + "A=", mesh_ip=node.state()["mesh_ip"])
        return rpc.alarm(node, "address")
    alarm = eventually(push, "the alarm", 20)
    assert "hostile" in alarm
    moves = [e["mesh_ip"] for e in node.log.events() if e.get("event") == "address_moved"]
    assert len(moves) == 3 and node.state()["mesh_ip"] == moves[-1]
    push()
    assert node.state()["mesh_ip"] == moves[-1]
    assert rpc.ask(node, "daemon.status")["ready"]
