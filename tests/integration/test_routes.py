# SPDX-License-Identifier: MIT
"""Networks behind peers: which are routed, which are refused, and that they go when they should."""

import signal

import pytest

from lib import rpc
from lib.node import STATE_DIR
from lib.wait import eventually

pytestmark = pytest.mark.asan

SITE = "192.168.77.0/24"
SITE6 = "fd77::/64"
PROTOCOL = "87"


def routes(node, *extra):
    """Destinations of our routes through wg0, both families."""
    shown = "".join(node.run("ip", family, "route", "show", "dev", "wg0", "proto", PROTOCOL,
                             *extra).stdout for family in ("-4", "-6"))
    return sorted(line.split()[0] for line in shown.splitlines())


def allowed(node):
    """Everything that WireGuard's peers are allowed."""
    return {prefix for _, prefixes in node.wg("allowed-ips") for prefix in prefixes.split()}


def refused(node, peer):
    """Networks of a peer that are refused, with the reasons."""
    return rpc.ask(node, "peers.get", pubkey=peer.public_key).get("refused_networks", {})


def start(lab, *advertised, one=()):
    """A node, and one that advertises networks; their tunnel is up."""
    first = lab.node("one", volume=lab.volume("one"), join=one)
    second = lab.node("two", volume=lab.volume("two"),
                      join=["--advertise-routes", ",".join(advertised)])
    eventually(lambda: first.pings(second.mesh_ip), "the tunnel")
    return first, second


@pytest.mark.kernel
def test_networks_of_both_families_are_routed_and_go_when_their_owner_stops(lab):
    one, two = start(lab, SITE, SITE6)
    eventually(lambda: routes(one) == [SITE, SITE6], "both routes")
    assert {SITE, SITE6} <= allowed(one)
    two.stop()
    eventually(lambda: routes(one) == [], "their end")


def test_a_network_that_is_given_up_is_withdrawn_and_a_foreign_route_stays(lab):
    one, two = start(lab, SITE, SITE6)
    eventually(lambda: routes(one) == [SITE, SITE6], "both routes")
    one.run("ip", "route", "add", "192.168.99.0/24", "dev", "wg0")
    two.root(f"{STATE_DIR}/wg0.reload").write_text(f"advertise-routes={SITE6}\n")
    two.signal(signal.SIGHUP)
    eventually(lambda: routes(one) == [SITE6], "one of them to go")
    eventually(lambda: SITE not in allowed(one), "it to go from WireGuard, too")
    assert "192.168.99.0/24" in one.run("ip", "route", "show", "dev", "wg0").stdout


def test_what_overlaps_with_a_network_of_this_machine_is_refused_and_said(lab):
    one, two = start(lab, SITE, "10.91.0.0/16", "10.91.128.0/17", "10.0.0.0/9")
    eventually(lambda: routes(one) == [SITE], "the route that may be")
    eventually(lambda: refused(one, two).keys() == {"10.91.0.0/16", "10.91.128.0/17", "10.0.0.0/9"},
               "the others to be refused")
    assert not {"10.91.0.0/16", "10.91.128.0/17", "10.0.0.0/9"} & allowed(one)
    said = [e for e in one.log.events() if e.get("event") == "route_refused"]
    assert sorted(e["network"] for e in said) == ["10.0.0.0/9", "10.91.0.0/16", "10.91.128.0/17"]
    assert one.pings(two.mesh_ip) and one.pings(two.port.address)


def test_a_network_of_this_machine_may_be_allowed_but_never_the_way_to_the_peer(lab):
    inside = "10.91.128.0/17"
    one, two = start(lab, inside, "10.91.0.0/17", one=["--allow-routes", "10.91.0.0/16"])
    eventually(lambda: routes(one) == [inside], "the allowed one")
    # That one has the peer's own address in it, or the gateway's.
    assert refused(one, two).keys() == {"10.91.0.0/17"}
    assert one.pings(two.mesh_ip)


def test_a_new_network_of_this_machine_ends_a_route_that_overlaps_with_it(lab):
    one, two = start(lab, SITE)
    eventually(lambda: routes(one) == [SITE], "the route")
    one.run("ip", "address", "add", "192.168.77.9/25", "dev", "eth0")
    eventually(lambda: routes(one) == [], "its end")
    assert "overlaps" in refused(one, two)[SITE]
    eventually(lambda: SITE not in allowed(one), "its end in WireGuard")
    one.run("ip", "address", "delete", "192.168.77.9/25", "dev", "eth0")
    eventually(lambda: routes(one) == [SITE], "the route again")
    one.wait_for_event("route_accepted")


def test_a_hostile_member_gets_neither_default_nor_underlay_nor_mesh(lab):
    one = lab.node("one", volume=lab.volume("one"))
    one.wait_until_up()
    member = lab.peer("hostile")
    member.answers_hello = False  # its answers would announce no networks
    bad = ["0.0.0.0/0", "::/0", "64.0.0.0/2", "10.91.0.0/16", "127.0.0.0/8", "224.0.0.0/4",
           str(member.mesh.network), f"{member.port.address}/32", f"{lab.switch.gateway}/32"]
    member.hello(one.port.address, routable_networks=bad + [SITE])
    eventually(lambda: routes(one) == [SITE], "the only honest one")
    assert allowed(one) == {SITE, f"{member.mesh_ip}/32", f"{member.mesh_ip6}/128"}


def test_the_first_of_two_owners_keeps_a_network_until_it_leaves(lab):
    one, two = start(lab, SITE)
    eventually(lambda: routes(one) == [SITE], "the route")
    three = lab.node("three", volume=lab.volume("three"), join=["--advertise-routes", SITE])
    eventually(lambda: one.pings(three.mesh_ip), "the tunnel to the third")
    assert "first" in refused(one, three)[SITE]
    owner = {key: prefixes for key, prefixes in one.wg("allowed-ips")}
    assert SITE in owner[two.public_key] and SITE not in owner[three.public_key]
    two.stop()
    eventually(lambda: SITE in dict(one.wg("allowed-ips"))[three.public_key], "the successor")
    assert routes(one) == [SITE] and refused(one, three) == {}


def test_a_route_that_the_kernel_refuses_is_tried_again(lab):
    one = lab.node("one", volume=lab.volume("one"))
    one.wait_until_up()
    # Through our own interface, so that it is no network of this machine; exactly the same one.
    one.run("ip", "route", "add", SITE, "dev", "wg0", "metric", "7")
    two = lab.node("two", volume=lab.volume("two"), join=["--advertise-routes", SITE])
    eventually(lambda: one.pings(two.mesh_ip), "the tunnel")
    one.wait_for_event("route_failed")
    assert "tried again" in refused(one, two)[SITE]
    one.run("ip", "route", "delete", SITE, "dev", "wg0")
    eventually(lambda: routes(one) == [SITE], "the route", 20)
    eventually(lambda: refused(one, two) == {}, "no complaint")


def test_routes_that_a_crashed_run_has_left_go_and_others_stay(lab):
    one, two = start(lab, SITE)
    eventually(lambda: routes(one) == [SITE], "the route")
    one.run("ip", "route", "add", "192.168.88.0/24", "dev", "wg0", "proto", PROTOCOL)
    one.run("ip", "route", "add", "192.168.99.0/24", "dev", "wg0")
    one.mesh_process().signal(signal.SIGKILL)
    one.wait_for_log("adopt")
    eventually(lambda: routes(one) == [SITE], "the stale one to go", 120)
    assert "192.168.99.0/24" in one.run("ip", "route", "show", "dev", "wg0").stdout
    assert one.wait_for_event("route_swept")["network"] == "192.168.88.0/24"
    assert one.pings(two.mesh_ip)
