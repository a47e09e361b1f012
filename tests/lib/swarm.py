#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A DHT of another implementation: libtorrent nodes, all of them in one process.

As a program it runs them: swarm.py COUNT BASE PORT puts them onto BASE.1, BASE.2 and so on, all of
which must be addresses of this network namespace, says "ready" when each knows eight others, and
serves until its standard input ends. Swarm starts it on a port of the lab's switch.
"""

import pathlib
import subprocess
import sys
import time

PORT = 6881
KNOWN = 8  # nodes in each table, before the swarm calls itself ready
CHORDS = (1, 2, 4, 8)


class Swarm:
    """So many nodes behind a port of the switch."""

    def __init__(self, port, count=20, number=200):
        self._port = port
        self.count = count
        self.base = f"10.91.{number}"
        self._process = None

    def address(self, i=1):
        return f"{self.base}.{i}:{PORT}"

    def __enter__(self):
        self._port.ip(*(f"addr add {self.base}.{i}/16 dev eth0" for i in range(1, self.count + 1)))
        argv = self._port.command(sys.executable, "-B", str(pathlib.Path(__file__).resolve()),
                                  str(self.count), self.base, str(PORT))
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline().strip()
        assert line == "ready", f"the DHT did not form: {line}"
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


def session(libtorrent, address):
    return libtorrent.session({
        "listen_interfaces": address, "outgoing_interfaces": address.partition(":")[0],
        "enable_dht": True, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
        # A node that others begin with never enters their tables: they are introduced below instead.
        "dht_bootstrap_nodes": "",
        "dht_restrict_routing_ips": False, "dht_restrict_search_ips": False,
        "dht_enforce_node_id": False, "dht_prefer_verified_node_ids": False,
        "dht_ignore_dark_internet": False,
        "alert_mask": libtorrent.alert.category_t.error_notification,
    })


def known_nodes(libtorrent, sessions):
    for one in sessions:
        one.post_session_stats()
    time.sleep(0.2)
    for one in sessions:
        counts = [alert.values["dht.dht_nodes"] for alert in one.pop_alerts()
                  if isinstance(alert, libtorrent.session_stats_alert)]
        yield counts[-1] if counts else 0


def serve(count, base, port):
    import libtorrent  # pylint: disable=import-outside-toplevel

    sessions = [session(libtorrent, f"{base}.{i}:{port}") for i in range(1, count + 1)]
    deadline = time.monotonic() + 60
    while not all(one.is_dht_running() for one in sessions) and time.monotonic() < deadline:
        time.sleep(0.1)
    while time.monotonic() < deadline:
        for i, one in enumerate(sessions):
            for chord in CHORDS:
                one.add_dht_node((f"{base}.{(i + chord) % count + 1}", port))
        time.sleep(0.5)
        if min(known_nodes(libtorrent, sessions)) >= min(count - 1, KNOWN):
            print("ready", flush=True)
            sys.stdin.read()
            break


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
