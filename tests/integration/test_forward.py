# SPDX-License-Identifier: MIT
"""Forwarding for peers: only what was asked for, and as it was before once the node stops."""

import json
import signal

import pytest

from lib import rpc
from lib.netns import NetNamespace
from lib.wait import eventually

pytestmark = pytest.mark.asan

SITE = "192.168.77.0/24"
SITE6 = "fd77::/64"
OTHER = "192.168.78.0/24"


class Behind(NetNamespace):
    """A host in two networks behind a port: SITE and OTHER."""

    def __init__(self, port):
        super().__init__()
        port.ip(f"link add site0 type veth peer name eth0 netns {self.path}",
                "addr add 192.168.77.1/24 dev site0", "addr add 192.168.78.1/24 dev site0",
                "addr add fd77::1/64 dev site0 nodad", "link set site0 up")
        self.ip("addr add 192.168.77.9/24 dev eth0", "addr add 192.168.78.9/24 dev eth0",
                "addr add fd77::9/64 dev eth0 nodad", "link set eth0 up",
                "route add default via 192.168.77.1", "route add default via fd77::1")

    def pings(self, address):
        return self.run("ping", "-n", "-c1", "-W0.5", address, check=False).returncode == 0


def forwards_nothing(port):
    """A new namespace forwards if the machine does, which it may because of an engine."""
    port.run("sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward")
    port.run("sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/all/forwarding")
    return port


@pytest.fixture
def gateway_port(lab):
    return forwards_nothing(lab.port())


@pytest.fixture
def behind(gateway_port):
    with Behind(gateway_port) as host:
        yield host


def forwards(port, interface, family="ipv4"):
    return port.run("cat", f"/proc/sys/net/{family}/conf/{interface}/forwarding").stdout.strip()


def table(port):
    """Our firewall rules as nft(8) shows them; empty when there are none."""
    return port.run("nft", "list", "table", "inet", "wgmesh-wg0", check=False).stdout \
        if "wgmesh-wg0" in port.run("nft", "list", "tables").stdout else ""


def gateway(lab, port, *more, nets=f"{SITE},{SITE6}", name="gateway", volume="gateway"):
    return lab.node(name, volume=lab.volume(volume), port=port,
                    join=["--advertise-routes", nets, *more])


def test_hosts_behind_a_node_are_reached_and_reach_the_mesh(lab, gateway_port, behind):
    # As "sysctls:" of a compose file does: /proc/sys cannot be written in there.
    gateway_port.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
    one = lab.node("one", volume=lab.volume("one"))
    gateway(lab, gateway_port, "--forward")
    eventually(lambda: one.pings("192.168.77.9"), "a ping over IPv4 to behind the gateway", 10)
    eventually(lambda: one.pings("fd77::9"), "a ping over IPv6")
    assert behind.pings(one.mesh_ip) and behind.pings(one.mesh_ip6)


def test_ipv6_that_cannot_be_forwarded_is_said_with_the_cure(lab, gateway_port, behind):
    one = lab.node("one", volume=lab.volume("one"))
    two = gateway(lab, gateway_port, "--forward")
    assert "net.ipv6.conf.all.forwarding=1" in two.wait_for_event("forwarding_limited")["msg"]
    eventually(lambda: one.pings("192.168.77.9"), "a ping over IPv4", 10)
    assert rpc.ready(two)["ready"]


def test_without_being_asked_nothing_is_forwarded_and_nothing_changed(lab, gateway_port, behind):
    one = lab.node("one", volume=lab.volume("one"))
    two = gateway(lab, gateway_port)
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    assert not one.pings("192.168.77.9") and not behind.pings(one.mesh_ip)
    assert forwards(gateway_port, "wg0") == forwards(gateway_port, "site0") == "0"
    assert table(gateway_port) == ""


def test_what_is_not_advertised_stays_out_of_reach(lab, gateway_port, behind):
    one = lab.node("one", volume=lab.volume("one"))
    two = gateway(lab, gateway_port, "--forward", nets=SITE)
    eventually(lambda: one.pings("192.168.77.9"), "a ping to behind the gateway", 10)
    # As a member might that believes it knows better.
    one.run("wg", "set", "wg0", "peer", two.public_key, "allowed-ips",
            f"{two.mesh_ip}/32,{SITE},{OTHER}")
    one.run("ip", "route", "add", OTHER, "dev", "wg0")
    assert not one.pings("192.168.78.9")
    assert one.pings("192.168.77.9")


def test_a_stop_leaves_everything_as_it_was(lab, gateway_port, behind):
    one = lab.node("one", volume=lab.volume("one"))
    gateway_port.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/eth0/forwarding")
    two = gateway(lab, gateway_port, "--forward")
    eventually(lambda: one.pings("192.168.77.9"), "a ping to behind the gateway", 10)
    assert forwards(gateway_port, "site0") == "1" and table(gateway_port)
    two.stop()
    assert forwards(gateway_port, "site0") == "0" and table(gateway_port) == ""
    assert forwards(gateway_port, "eth0") == "1", "it was on before"
    assert forwards(gateway_port, "all", "ipv6") == "0"
    assert not list(lab.volume("gateway").glob(".wgmesh.forward*"))


@pytest.mark.parametrize("victim", ["mesh_process", "netadmin"])
def test_a_crash_does_not_make_on_look_like_it_was_so_before(lab, gateway_port, behind, victim):
    one = lab.node("one", volume=lab.volume("one"))
    two = gateway(lab, gateway_port, "--forward")
    eventually(lambda: one.pings("192.168.77.9"), "a ping to behind the gateway", 10)
    rules = table(gateway_port)
    getattr(two, victim)().signal(signal.SIGKILL)
    two.wait_for_log("adopt")
    eventually(lambda: len([e for e in two.log.events() if e.get("event") == "forwarding_set"]) == 2,
               "the second run to have its rules")
    assert table(gateway_port) == rules, "the same rules, once"
    assert one.pings("192.168.77.9")
    two.stop()
    assert forwards(gateway_port, "site0") == "0" and table(gateway_port) == ""


def test_a_container_that_was_killed_is_cleaned_up_after_by_the_next(lab, gateway_port, behind):
    one = lab.node("one", volume=lab.volume("one"))
    two = gateway(lab, gateway_port, "--forward")
    eventually(lambda: one.pings("192.168.77.9"), "a ping to behind the gateway", 10)
    two.kill()
    assert forwards(gateway_port, "site0") == "1", "nobody could undo it"
    again = gateway(lab, gateway_port, name="again")
    again.wait_until_up()
    assert forwards(gateway_port, "site0") == "0" and table(gateway_port) == ""


def test_a_daemon_that_hangs_at_the_stop_is_cleaned_up_after_by_pid_1(lab, gateway_port, behind):
    one = lab.node("one", volume=lab.volume("one"))
    two = lab.node("gateway", volume=lab.volume("gateway"), port=gateway_port,
                   init=["--stop-timeout=500ms"], join=["--advertise-routes", SITE, "--forward"])
    eventually(lambda: one.pings("192.168.77.9"), "a ping to behind the gateway", 10)
    for process in two.daemons():
        process.signal(signal.SIGSTOP)
    two.stop()
    assert forwards(gateway_port, "site0") == "0" and table(gateway_port) == ""


def test_a_reload_forwards_other_networks(lab, gateway_port, behind):
    one = lab.node("one", volume=lab.volume("one"))
    two = gateway(lab, gateway_port, "--forward", nets=SITE)
    eventually(lambda: one.pings("192.168.77.9"), "a ping to behind the gateway", 10)
    two.root("/var/lib/wgmesh/wg0.reload").write_text(f"advertise-routes={OTHER}\n")
    two.signal(signal.SIGHUP)
    eventually(lambda: one.pings("192.168.78.9"), "a ping to the other network")
    assert SITE.split("/")[0] not in table(gateway_port)


def test_a_firewall_that_drops_is_named_with_the_cure(lab, gateway_port, behind):
    gateway_port.run("iptables-nft", "-P", "FORWARD", "DROP")
    one = lab.node("one", volume=lab.volume("one"))
    two = gateway(lab, gateway_port, "--forward")
    said = two.wait_for_log("firewall of this machine drops")["msg"]
    assert "iptables -I FORWARD -i wg0 -j ACCEPT" in said
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    assert not one.pings("192.168.77.9")
    for way in ("-i", "-o"):
        gateway_port.run("iptables-nft", "-I", "FORWARD", way, "wg0", "-j", "ACCEPT")
    eventually(lambda: one.pings("192.168.77.9"), "a ping after the cure")
    two.stop()
    # Who has put it right is not told again.
    again = gateway(lab, gateway_port, "--forward", name="again")
    again.wait_for_event("forwarding_set")
    assert not again.find_log("firewall of this machine")


def test_an_introducer_forwards_from_peer_to_peer_and_says_that_it_is_one(lab):
    node = lab.node("one", volume=lab.volume("one"), join=["--introducer"],
                    port=forwards_nothing(lab.port()))
    node.wait_for_event("forwarding_set")
    assert forwards(node.port, "wg0") == "1"
    rules = json.loads(node.port.run("nft", "-j", "list", "table", "inet", "wgmesh-wg0").stdout)
    assert sum("rule" in item for item in rules["nftables"]) >= 3
    peer = lab.peer()
    assert peer.hello(node.port.address).body.get("introducer") is True
    assert rpc.ready(node)["ready"]
    node.stop()
    assert table(node.port) == ""


def test_a_node_that_was_not_asked_says_that_it_is_no_introducer(lab):
    node = lab.node("one", volume=lab.volume("one"))
    node.wait_until_up()
    assert "introducer" not in lab.peer().hello(node.port.address).body
