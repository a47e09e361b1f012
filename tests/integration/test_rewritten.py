# SPDX-License-Identifier: MIT
"""Something on this machine gives the packets of peers the address of our own gateway."""

import json

from lib import rpc
from lib.wait import eventually


def gateway_of(node):
    return json.loads(node.run("ip", "-json", "route", "show", "default").stdout)[0]["gateway"]


def test_peers_that_come_from_our_own_gateway_are_an_alarm_until_they_do_not(lab):
    one = lab.node("one", volume=lab.volume("one"))
    rpc.ready(one)
    gateway = gateway_of(one)
    for line in ("add table ip proxy", "add chain ip proxy in { type nat hook input priority 100; }",
                 f"add rule ip proxy in udp dport 51820 snat to {gateway}",
                 # What the other one begins is rewritten; so it has to be the one that begins.
                 "add chain ip proxy out { type filter hook output priority 0; }",
                 "add rule ip proxy out udp dport 51820 ct state new drop"):
        one.run("nft", line)
    two = lab.node("two", volume=lab.volume("two"))
    eventually(lambda: two.pings(one.mesh_ip), "the tunnel", 20)
    said = eventually(lambda: rpc.alarm(one, "rewritten"), "the alarm", 20)
    assert "two" in said and gateway in said and "conntrack -D" in said
    assert rpc.alarm(two, "rewritten") is None
