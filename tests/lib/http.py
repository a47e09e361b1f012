# SPDX-License-Identifier: MIT
"""HTTP as probes speak it: one request over one connection, byte for byte."""

import dataclasses
import json
import socket

from lib import wait

LOOPBACK = ("127.0.0.1", 9464)
PATHS = ("/livez", "/startupz", "/readyz", "/health", "/stats", "/metrics")
REFUSED = "refused"


@dataclasses.dataclass
class Answer:
    """Status, headers by lower-case name, body."""

    status: int
    headers: dict
    body: str

    def json(self):
        return json.loads(self.body)


def parse(data):
    """The answer in the bytes of one; None when there is none, or not all of it."""
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status, _ = first.split(" ", 2)
    assert version in ("HTTP/1.1", "HTTP/1.0"), first
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert len(headers) == len(lines), f"a header twice: {lines}"
    return Answer(int(status), headers, body.decode())


def dial(port, address=LOOPBACK, within=5.0):
    """A connection from inside a container's network; ConnectionRefusedError where nobody listens."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = port.socket(family, socket.SOCK_STREAM)
    sock.settimeout(within * wait.scale)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def read_all(sock):
    data = b""
    while chunk := sock.recv(65536):
        data += chunk
    return data


def ask(port, path, method="GET", address=LOOPBACK, within=5.0, **headers):
    """One request; headers as host="...", accept="..."."""
    headers.setdefault("host", "localhost")
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    with dial(port, address, within) as sock:
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = parse(read_all(sock))
    assert answer, f"no answer to {method} {path}"
    expected = int(answer.headers.get("content-length", -1))
    if method != "HEAD":
        assert expected == len(answer.body.encode()), "the whole body, and not more"
    return answer


def status(port, path, **kwargs):
    """The status of an answer, or "refused" where nobody listens."""
    try:
        return ask(port, path, **kwargs).status
    except ConnectionRefusedError:
        return REFUSED
