# SPDX-License-Identifier: MIT
"""An internet in namespaces: a public segment, and NAT routers of the kinds that people have.

Routers are made with nftables. What Linux' own masquerading does is a "port-restricted cone": a port
is the same outside as inside while it is free, for all destinations, and lets in only who was sent
something. With fully random ports it is a "symmetric" NAT: another port for each destination, which
nobody can foresee.
"""

import ipaddress
import itertools

from lib import rpc, wait
from lib.lab import SECRET, Lab
from lib.netns import NetNamespace
from lib.peer import Mesh

PUBLIC = "203.0.113.0/24"
WG_PORT = 51820
GOSSIP_PORT = Mesh(SECRET).gossip_port


class Segment(NetNamespace):
    """An Ethernet segment without a gateway: nothing leads out of the lab."""

    def __init__(self, network):
        super().__init__()
        self.network = ipaddress.ip_network(network)
        self._cables = itertools.count(1)
        self._numbers = itertools.count(2)
        self.ip("link add br0 type bridge mcast_snooping 0", "link set br0 up")

    def plug(self, namespace, ifname, number=None):
        """Connect an interface of a namespace; returns its address."""
        address = self.network[next(self._numbers) if number is None else number]
        cable = f"cable{next(self._cables)}"
        self.ip(f"link add {cable} type veth peer name {ifname} netns {namespace.path}",
                f"link set {cable} master br0 up")
        namespace.ip(f"addr add {address}/{self.network.prefixlen} dev {ifname}",
                     f"link set {ifname} up")
        wait.eventually(lambda: "state forwarding" in self.run(
            "ip", "-details", "-oneline", "link", "show", "dev", cable).stdout, f"{cable} to forward")
        return str(address)


class Host(NetNamespace):
    """A machine in a segment, with what lab.container() and lib.peer need of a port."""

    def __init__(self, segment, gateway=None):
        super().__init__()
        self.address = segment.plug(self, "eth0")
        self.address6 = None
        if gateway:
            self.ip(f"route add default via {gateway}")

    def forward(self):
        """Let packets pass from one tunnel to another."""
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")


# What becomes of the source port of a packet that leaves. An altered one is what a host gets whose
# ports another host behind the NAT has already: another one, but the same for all destinations.
KINDS = {
    "cone": ["masquerade"],
    "altered": [f"udp sport {WG_PORT} snat to {{wan}}:41820",
                f"udp sport {GOSSIP_PORT} snat to {{wan}}:42820",
                "masquerade"],
    "symmetric": ["meta l4proto udp masquerade fully-random", "masquerade"],
}


class Router(NetNamespace):
    """A NAT router between a segment outside and one of its own inside."""

    _numbers = itertools.count(1)

    def __init__(self, outside, kind, inside=None):
        super().__init__()
        number = next(self._numbers) % 250
        self.inside = Segment(inside or f"192.168.{number}.0/24")
        self.wan = outside.plug(self, "wan")
        self.lan = self.inside.plug(self, "lan", 1)
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self._rules([line.format(wan=self.wan) for line in KINDS[kind]])

    def _rules(self, source):
        text = "\n".join(f'oifname "wan" {line}' for line in source)
        # A packet that nobody asked for must not leave an entry behind: the port that it came to
        # would count as taken, and the hole that we punch would get another one.
        self.nft(f"""
            table ip nat {{
                chain source {{ type nat hook postrouting priority srcnat; {text}
                }}
            }}
            table ip filter {{
                set blocked {{ type ipv4_addr; }}
                chain input {{
                    type filter hook input priority filter; policy drop;
                    iifname != "wan" accept
                    ct state established,related accept
                }}
                chain forward {{
                    type filter hook forward priority filter; policy accept;
                    ip daddr @blocked drop
                    ip saddr @blocked drop
                    iifname "wan" ct state new drop
                }}
            }}""")

    def nft(self, text):
        self.run("nft", "-f", "-", stdin=None, input=text)

    def block(self, address):
        """Let nothing pass to or from an address outside."""
        self.nft(f"add element ip filter blocked {{ {address} }}")

    def unblock(self, address):
        self.nft(f"delete element ip filter blocked {{ {address} }}")

    def host(self):
        return Host(self.inside, self.lan)


class NatLab(Lab):
    """A lab with a public segment; nodes know one introducer's address, and nobody else's."""

    def __init__(self, variant="release"):
        super().__init__(variant)
        self.public = self._cleanup.enter_context(Segment(PUBLIC))
        self.introducers = []

    def plug(self, thing):
        """Have something end with the lab."""
        return self._cleanup.enter_context(thing)

    def router(self, kind, outside=None, inside=None):
        router = Router(outside or self.public, kind, inside)
        self._cleanup.callback(router.inside.close)
        return self._cleanup.enter_context(router)

    def introducer(self, name="intro", join=()):
        """A node that everybody can reach, and that introduces and relays."""
        host = self._cleanup.enter_context(Host(self.public))
        host.forward()
        node = self._start(name, host, ["--introducer", *join])
        self.introducers.append(node)
        return node

    def behind(self, router, name, join=(), **options):
        """A node behind a NAT."""
        host = self._cleanup.enter_context(router.host())
        return self._start(name, host, join, **options)

    def _start(self, name, host, join, **options):
        known = ",".join(f"{node.port.address}:{GOSSIP_PORT}" for node in self.introducers)
        join = [*(["--peer", known] if known else []), *join]
        return self.node(name, volume=self.volume(name), port=host,
                         join=["--no-dht", "--no-stun", "--log-level", "debug", *join], **options)


def entry_of(node, other):
    """What a node says of another one; None while it does not know it."""
    try:
        peers = rpc.ask(node, "peers.list", all=True)["peers"]
    except OSError:  # it is not there yet
        return None
    return next((entry for entry in peers if entry["pubkey"] == other.public_key), None)


def path(node, other):
    """How a node reaches another one, as it says: direct, relayed, none; None while it does not know it."""
    entry = entry_of(node, other)
    return entry and entry["path"]


def via(node, other):
    """Through whom; None when that is nobody."""
    entry = entry_of(node, other)
    return entry and entry.get("via")


def endpoint(node, other):
    """Where a node's tunnel to another one ends."""
    return dict(node.wg("endpoints")).get(other.public_key)


def changes(node):
    """How often a peer of a node changed its way, as its log says."""
    return [event for event in node.log.events() if event.get("event") in ("peer_relayed", "peer_direct")]
