# SPDX-License-Identifier: MIT
"""The mesh protocol a second time, written from its description and not from our C code.

Mesh derives everything a secret stands for, seal() and unseal() make and open datagrams, and Peer
is an existing node of the mesh in all but WireGuard: it announces itself on the LAN, answers HELLO
and keeps what it hears, or sends whatever a test wants sent.
"""

import base64
import dataclasses
import hashlib
import ipaddress
import json
import os
import select
import socket
import struct
import threading
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lib import wait

PROTOCOL = "wgmesh-v1"
LAN_PORT = 51830
PROBE_OFFSET = 2000
MAX_AGE_S = 600
NONCE_LEN = 12
URI_PREFIX = "wgmesh://"


def bare_secret(text):
    """The key material in a secret as people write it."""
    text = text.strip()
    if not text.startswith(URI_PREFIX):
        return text
    rest = text[len(URI_PREFIX):]
    _, slash, after = rest.partition("/")
    return after.partition("?")[0] if slash else rest


class Mesh:
    """Everything that follows from a secret."""

    def __init__(self, secret):
        self.secret = bare_secret(secret).encode()
        self.network_id = hashlib.sha256(self.secret).digest()[:20]
        self.rendezvous_id = hashlib.sha256(self.secret + b"rv").digest()[:8]
        self.gossip_key = self._derive("wgmesh-gossip-v1", 32)
        self.psk = self._derive("wgmesh-wg-psk-v1", 32)
        self.gossip_port = 51821 + int.from_bytes(self._derive("wgmesh-gossip-port-v1", 2), "big") % 1000
        self.probe_port = self.gossip_port + PROBE_OFFSET
        self.subnet = self._derive("wgmesh-subnet-v1", 2)
        self.network = ipaddress.ip_network(f"10.{self.subnet[0]}.0.0/16")
        self.prefix6 = b"\xfd" + self._derive("wgmesh-ipv6-prefix-v1", 7)
        group = self._derive("wgmesh-mcast-v1", 4)
        self.group = f"239.192.{group[0]}.{group[1]}"

    def _derive(self, label, length):
        return HKDF(hashes.SHA256(), length, salt=None, info=label.encode()).derive(self.secret)

    def mesh_ip(self, public_key):
        digest = hashlib.sha256(public_key.encode() + self.secret).digest()
        last = {0: 1, 255: 254}.get(digest[1], digest[1])
        return f"10.{self.subnet[0]}.{digest[0] ^ self.subnet[1]}.{last}"

    def mesh_ip6(self, public_key):
        digest = hashlib.sha256(public_key.encode() + b"|" + self.secret + b"|ipv6").digest()
        host = bytearray(digest[:8])
        host[0] = (host[0] | 0x02) & 0xFE
        if not any(host):
            host[7] = 1
        return str(ipaddress.IPv6Address(self.prefix6 + bytes(host)))


def pair_id(one, two):
    """What OFFER and START call a pair of keys: FNV-1a of both, the lower one first."""
    number = 0xcbf29ce484222325
    for byte in b"\0".join(sorted((one.encode(), two.encode()))):
        number = (number ^ byte) * 0x100000001b3 % 2**64
    return f"{number:016x}"


def b64(data):
    return base64.b64encode(data).decode()


def new_key():
    """A WireGuard key pair as base64 text: private, public."""
    raw, no_encryption = serialization.Encoding.Raw, serialization.NoEncryption()
    private = X25519PrivateKey.generate()
    secret = private.private_bytes(raw, serialization.PrivateFormat.Raw, no_encryption)
    public = private.public_key().public_bytes(raw, serialization.PublicFormat.Raw)
    return b64(secret), b64(public)


class Refused(Exception):
    """A datagram that a node must not act on; says why."""


def seal(gossip_key, kind, body, nonce=None):
    """The datagram for a message; `body` is a dictionary, or bytes to seal as they are."""
    plain = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    nonce = nonce or os.urandom(NONCE_LEN)
    sealed = AESGCM(gossip_key).encrypt(nonce, plain, None)
    envelope = {"type": kind, "nonce": b64(nonce), "ciphertext": b64(sealed)}
    return json.dumps(envelope, separators=(",", ":")).encode()


def unseal(gossip_key, datagram, now):
    """Open a datagram: (type, body), or Refused."""
    try:
        envelope = json.loads(datagram)
        nonce = base64.b64decode(envelope["nonce"], validate=True)
        sealed = base64.b64decode(envelope["ciphertext"], validate=True)
        kind = envelope["type"]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"no envelope: {error}") from None
    if len(nonce) != NONCE_LEN:
        raise Refused(f"nonce of {len(nonce)} bytes")
    try:
        body = json.loads(AESGCM(gossip_key).decrypt(nonce, sealed, None))
    except InvalidTag:
        raise Refused("forged, or sealed with another secret") from None
    except ValueError as error:
        raise Refused(f"plaintext is no JSON: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("timestamp"), int):
        raise Refused("no timestamp")
    if body.get("protocol") != PROTOCOL:
        raise Refused(f"protocol {body.get('protocol')!r}")
    if abs(now - body["timestamp"]) > MAX_AGE_S:
        raise Refused(f"{now - body['timestamp']} s old")
    return kind, body


@dataclasses.dataclass(frozen=True)
class Message:
    """A datagram that was heard: how, from where, and what was in it."""

    kind: str
    body: dict
    source: tuple
    via: str
    datagram: bytes
    at: float


def _plain_address(sockaddr):
    """(address, port) with an IPv4-mapped address unmapped."""
    address = ipaddress.ip_address(sockaddr[0].partition("%")[0])
    return str(getattr(address, "ipv4_mapped", None) or address), sockaddr[1]


class Peer:
    """A node made of two sockets and a key; lives in a port of a switch."""

    def __init__(self, port, secret, hostname="peer", listen_port=51820):
        self.mesh = Mesh(secret)
        self.port = port
        self.private_key, self.public_key = new_key()
        self.hostname = hostname
        self.listen_port = listen_port
        self.mesh_ip = self.mesh.mesh_ip(self.public_key)
        self.mesh_ip6 = self.mesh.mesh_ip6(self.public_key)
        self.answers_hello = True
        self.says = {}  # further members of all its announcements
        self.heard = []
        self.refused = []
        self._exchange = self._open_exchange()
        self._lan = self._open_lan()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _open_exchange(self):
        sock = self.port.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("::", self.mesh.gossip_port))
        return sock

    def _open_lan(self):
        sock = self.port.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Bound to the group, not to the wildcard: it must not take the exchange's unicast.
        sock.bind((self.mesh.group, LAN_PORT))
        membership = struct.pack("4s4s", socket.inet_aton(self.mesh.group),
                                 socket.inet_aton(self.port.address))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        return sock

    # What it says

    def announcement(self, **members):
        """The body of an announcement of this node; a member given as None is left out."""
        body = {
            "protocol": PROTOCOL,
            "wg_pubkey": self.public_key,
            "hostname": self.hostname,
            "mesh_ip": self.mesh_ip,
            "mesh_ipv6": self.mesh_ip6,
            "wg_endpoint": f"{self.port.address}:{self.listen_port}",
            "timestamp": int(time.time()),
            **self.says,
            **members,
        }
        return {name: value for name, value in body.items() if value is not None}

    def seal(self, kind, body):
        return seal(self.mesh.gossip_key, kind, body)

    def send(self, datagram, address, port=None):
        """Send bytes to a node, to its exchange unless told otherwise."""
        if ":" not in address:
            address = "::ffff:" + address
        self._exchange.sendto(datagram, (address, port or self.mesh.gossip_port))

    def send_lan(self, datagram):
        """Send bytes to the LAN group, from a socket of their own as existing nodes do."""
        with self.port.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(datagram, (self.mesh.group, LAN_PORT))

    def announce(self, **members):
        self.send_lan(self.seal("ANNOUNCE", self.announcement(**members)))

    def goodbye(self, address):
        body = {"protocol": PROTOCOL, "timestamp": int(time.time()), "wg_pubkey": self.public_key}
        self.send(self.seal("GOODBYE", body), address)

    def hello(self, address, within=2.0, **members):
        """Send HELLO and wait for the REPLY from exactly where it was sent; returns a Message."""
        mark = len(self.heard)
        self.send(self.seal("HELLO", self.announcement(**members)), address)
        return self.wait_for("REPLY", source=(address, self.mesh.gossip_port), since=mark,
                             within=within)

    # What it hears

    def wait_for(self, kind, source=None, since=0, within=5.0, where=lambda message: True):
        """Wait for a message of a kind that was heard after the first `since` ones."""
        def found():
            return next((m for m in self.heard[since:] if m.kind == kind and where(m)
                         and source in (None, m.source)), None)
        return wait.eventually(found, f"{kind} at {self.hostname}", within)

    def _listen(self):
        readers = {self._exchange: "exchange", self._lan: "lan"}
        while not self._stopping.is_set():
            for sock in select.select(list(readers), [], [], 0.05)[0]:
                datagram, source = sock.recvfrom(65535)
                self._hear(datagram, _plain_address(source), readers[sock])

    def _hear(self, datagram, source, via):
        try:
            kind, body = unseal(self.mesh.gossip_key, datagram, int(time.time()))
        except Refused as why:
            self.refused.append((str(why), source, datagram))
            return
        if body.get("wg_pubkey") == self.public_key:
            return
        self.heard.append(Message(kind, body, source, via, datagram, time.monotonic()))
        if kind == "HELLO" and self.answers_hello:
            address, port = source
            shown = f"[{address}]" if ":" in address else address
            reply = self.announcement(observed_endpoint=f"{shown}:{port}")
            self.send(self.seal("REPLY", reply), address, port)

    def close(self):
        self._stopping.set()
        self._thread.join()
        self._exchange.close()
        self._lan.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
