# SPDX-License-Identifier: MIT
"""An internet of two networks: public addresses on one switch, and homes behind routers that translate."""

import ipaddress

from lib.netns import Switch


class Internet(Switch):
    """A segment whose addresses are public: what is plugged in here is a rented server."""

    network = ipaddress.ip_network("203.0.0.0/16")
    network6 = ipaddress.ip_network("2a02:91::/64")
    gateway = str(network[1])
    gateway6 = str(network6[1])


class Home(Switch):
    """A segment with private addresses, whose gateway translates them (IPv4 only).

    number       of the router on the internet
    is_random    a port of its own for each destination: a symmetric NAT, otherwise a cone
    """

    network = ipaddress.ip_network("10.92.0.0/16")
    network6 = ipaddress.ip_network("fd92::/64")
    gateway = str(network[1])
    gateway6 = str(network6[1])

    def __init__(self, internet, number, is_random=False):
        super().__init__()
        self.outside = str(internet.network[number])
        how = "masquerade random,fully-random" if is_random else "masquerade"
        internet.ip(f"link add home{number} type veth peer name up0 netns {self.path}",
                    f"link set home{number} master br0 up")
        self.ip(f"addr add {self.outside}/16 dev up0", "link set up0 up",
                f"route add default via {internet.gateway}")
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.run("nft", "add table ip nat; "
                        "add chain ip nat out { type nat hook postrouting priority 100; }; "
                        f"add rule ip nat out oifname up0 {how}; "
                        "add chain ip nat pass { type filter hook forward priority 0; policy drop; }; "
                        "add rule ip nat pass iifname br0 accept; "
                        "add rule ip nat pass ct state established accept")
