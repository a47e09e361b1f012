# SPDX-License-Identifier: MIT
"""A node of a mesh: a container whose PID 1 is wgmesh-init, with the questions tests ask of it."""

import json

from lib import wait
from lib.container import Container

STATE_DIR = "/var/lib/wgmesh"
SECRET_FILE = "/run/secrets/wgmesh"
INTERFACE = "wg0"
CAP_NET_ADMIN = 12


class Node(Container):
    """What lab.node() starts."""

    # The identity it keeps

    def state(self):
        """The key file as a dictionary; None while there is none."""
        try:
            text = self.root(f"{STATE_DIR}/{INTERFACE}.json").read_text()
        except (FileNotFoundError, PermissionError):
            return None
        return json.loads(text)

    def _member(self, name):
        # The key file of an older node gets its addresses only when the daemon adds them.
        return wait.eventually(lambda: (self.state() or {}).get(name),
                               f"{name} in the key file of {self.name}")

    @property
    def public_key(self):
        return self._member("wg_pubkey")

    @property
    def mesh_ip(self):
        return self._member("mesh_ip")

    @property
    def mesh_ip6(self):
        return self._member("mesh_ipv6")

    def identity(self):
        """What must survive: key and addresses."""
        return {name: self._member(name)
                for name in ("wg_pubkey", "wg_private_key", "mesh_ip", "mesh_ipv6")}

    # Its processes

    def daemons(self):
        """The processes of `wgmesh join`."""
        return [p for p in self.processes() if p.is_alive() and p.argv[1:2] == ["join"]]

    def netadmin(self):
        """The daemon process that holds CAP_NET_ADMIN, or None."""
        return next((p for p in self.daemons() if p.has_cap(CAP_NET_ADMIN)), None)

    def mesh_process(self):
        """The daemon process that talks to the network and holds nothing, or None."""
        return next((p for p in self.daemons() if not p.has_cap(CAP_NET_ADMIN)), None)

    # Its WireGuard interface

    def wg(self, field):
        """Lines of `wg show wg0 FIELD`, split; empty while there is no interface."""
        result = self.run("wg", "show", INTERFACE, field, check=False)
        return [line.split("\t") for line in result.stdout.splitlines()]

    def handshakes(self):
        """Peers by key with the Unix time of their last handshake, 0 for never."""
        return {key: int(seconds) for key, seconds in self.wg("latest-handshakes")}

    def has_interface(self):
        return INTERFACE in self.port.links()

    def pings(self, address, deadline_s=0.5):
        """Does one ping to an address come back?"""
        return self.run("ping", "-n", "-c1", f"-W{deadline_s}", address, check=False).returncode == 0

    # What it says

    def wait_for_log(self, text, within=5.0):
        """Wait for a log line whose message contains a text; returns the event."""
        return wait.eventually(lambda: self.find_log(text), f'"{text}" in the log of {self.name}',
                               within)

    def wait_for_event(self, name, within=5.0):
        """Wait for a line of an event of common/events.def; returns it."""
        return wait.eventually(lambda: next((event for event in self.log.events() if event.get("event") == name), None),
                               f"the event {name} of {self.name}", within)

    def wait_until_up(self):
        """Wait until it has its interface and hears what is said on the LAN."""
        self.wait_for_log("announcing and listening")

    def find_log(self, text, level=None):
        return next((event for event in self.log.events()
                     if text in event.get("msg", "") and level in (None, event.get("level"))), None)

    def events(self, level):
        return [event for event in self.log.events() if event.get("level") == level]
