# SPDX-License-Identifier: MIT
"""A host on the LAN that does not know the secret: it hears, repeats, alters and floods."""

import json
import socket
import struct
import threading

from lib.peer import LAN_PORT

ETH_P_ALL = 3  # before the bridge takes a frame away; those for one protocol come too late
ETH_P_IP = b"\x08\x00"
ETH_HEADER = 14
UDP_HEADER = 8
UDP = 17
FRAME_MAX = 65535


def _udp_of(frame):
    """(destination port, payload) of an IPv4 frame; None for any other."""
    packet = frame[ETH_HEADER:]
    if len(packet) < 20 or frame[12:ETH_HEADER] != ETH_P_IP or packet[9] != UDP:
        return None
    header = (packet[0] & 15) * 4
    (port,) = struct.unpack_from("!H", packet, header + 2)
    return port, packet[header + UDP_HEADER:]


def relabelled(datagram, kind):
    """The same sealed body under another type, which no seal protects."""
    envelope = json.loads(datagram)
    envelope["type"] = kind
    return json.dumps(envelope, separators=(",", ":")).encode()


def kind_of(datagram):
    try:
        return json.loads(datagram)["type"]
    except (ValueError, KeyError, TypeError):
        return None


class Tap:
    """Hears what passes the cable of a port, as a host that stands between two others would."""

    def __init__(self, switch, port):
        self.datagrams = []  # (UDP port, payload)
        self._socket = switch.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self._socket.bind((port._cable, ETH_P_ALL))
        self._socket.settimeout(0.05)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while not self._stopping.is_set():
            try:
                frame = self._socket.recv(FRAME_MAX)
            except TimeoutError:
                continue
            found = _udp_of(frame)
            if found:
                self.datagrams.append(found)

    def of_kind(self, kind):
        """Datagrams of the exchange or the LAN group that claim a type, oldest first."""
        return [payload for _, payload in list(self.datagrams) if kind_of(payload) == kind]

    def close(self):
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Intruder:
    """Sends from a port of its own, or in the name of another."""

    def __init__(self, port, mesh):
        self.port = port
        self.mesh = mesh
        self._plain = port.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._raw = port.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._raw.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)

    def send(self, payload, address, port=None):
        self._plain.sendto(payload, (address, port or self.mesh.gossip_port))

    def send_lan(self, payload):
        self._plain.sendto(payload, (self.mesh.group, LAN_PORT))

    def send_as(self, source, payload, address, port=None):
        """The same with a forged source address and the exchange's port."""
        port = port or self.mesh.gossip_port
        udp = struct.pack("!HHHH", self.mesh.gossip_port, port, UDP_HEADER + len(payload), 0)
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp) + len(payload), 0, 0, 64, UDP,
                             0, socket.inet_aton(source), socket.inet_aton(address))
        self._raw.sendto(header + udp + payload, (address, 0))

    def close(self):
        self._plain.close()
        self._raw.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
