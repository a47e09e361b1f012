# SPDX-License-Identifier: MIT
"""Network namespaces, and a switch that connects them.

A namespace is held by a descriptor of this process and by nothing else: when this process ends,
for whatever reason, the kernel removes the namespace with its interfaces. The bridge of a switch
has a namespace of its own too, where no firewall of the machine can drop its frames.
"""

import contextlib
import ctypes
import ipaddress
import os
import socket
import subprocess

from lib import wait

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)} (these tests need root)")


@contextlib.contextmanager
def _back_again():
    """Whatever namespace the body moves this thread to, come back."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _check(_libc.setns(home, CLONE_NEWNET), "setns")
        os.close(home)


class NetNamespace:
    """An empty network namespace with its loopback up; a new one, or that of a descriptor."""

    def __init__(self, fd=None):
        self._fd = self._make() if fd is None else fd
        self.ip("link set lo up")

    @staticmethod
    def _make():
        with _back_again():
            _check(_libc.unshare(CLONE_NEWNET), "unshare")
            return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    @property
    def path(self):
        """A path that nsenter(1) and ip(8) take; valid until close()."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    def command(self, *argv):
        """The argument vector that runs a command in here."""
        return ["nsenter", f"--net={self.path}", "--", *argv]

    def run(self, *argv, check=True, **kwargs):
        """Run a command of the machine in here; returns a CompletedProcess with text output."""
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        result = subprocess.run(self.command(*argv), text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, check=False, **kwargs)
        if check:
            assert result.returncode == 0, f"{' '.join(argv)}: {result.stdout.strip()}"
        return result

    def ip(self, *lines):
        """Run several commands of ip(8) as one process."""
        self.run("ip", "-batch", "-", stdin=None, input="\n".join(lines) + "\n")

    def links(self):
        """Names of the interfaces in here."""
        lines = self.run("ip", "-oneline", "link", "show").stdout.splitlines()
        return [line.split(": ")[1].partition("@")[0] for line in lines]

    def socket(self, family, kind, protocol=0):
        """A socket in here, for this process to use: it stays in the namespace it was made in."""
        with _back_again():
            _check(_libc.setns(self._fd, CLONE_NEWNET), "setns")
            return socket.socket(family, kind, protocol)

    def close(self):
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Port(NetNamespace):
    """A namespace plugged into a switch by eth0: what a container engine calls a sandbox.

    It outlives the container that runs in it, as that of a Kubernetes pod does.
    """

    def __init__(self, switch, number, cable, fd=None):
        super().__init__(fd)
        self.number = number
        self.address = str(switch.network[number])
        self.address6 = str(switch.network6[number])
        self._switch = switch
        self._cable = cable

    def unplug(self):
        """Pull the cable; plug() mends it."""
        self._switch.ip(f"link set {self._cable} down")

    def plug(self):
        self._switch.ip(f"link set {self._cable} up")


class Switch(NetNamespace):
    """A network segment with room for 65000 ports; its own address is everybody's gateway."""

    network = ipaddress.ip_network("10.91.0.0/16")
    network6 = ipaddress.ip_network("fd91::/64")
    gateway = str(network[1])
    gateway6 = str(network6[1])

    def __init__(self):
        super().__init__()
        self._number = 1
        self._cables = 0
        # Nobody queries for groups here, so snooping would only be a way to lose multicast.
        self.ip("link add br0 type bridge mcast_snooping 0",
                f"addr add {self.gateway}/16 dev br0",
                f"addr add {self.gateway6}/64 dev br0 nodad",
                "link set br0 up")

    def attach(self, number=None, fd=None):
        """A new port, with the next free addresses or with those of an earlier port's number.

        fd  network namespace that becomes the port, which closes it; None makes one
        """
        if number is None:
            self._number += 1
            number = self._number
        self._cables += 1
        port = Port(self, number, f"cable{self._cables}", fd)
        self.ip(f"link add {port._cable} type veth peer name eth0 netns {port.path}",
                f"link set {port._cable} master br0 up")
        port.ip(f"addr add {port.address}/16 dev eth0",
                f"addr add {port.address6}/64 dev eth0 nodad",
                "link set eth0 up",
                f"route add default via {self.gateway}",
                f"route add default via {self.gateway6}")
        wait.eventually(lambda: self._forwards(port), f"{port._cable} to forward")
        return port

    def _forwards(self, port):
        """Is the port open? The kernel opens it when it gets to it, and drops frames until then."""
        shown = self.run("ip", "-details", "-oneline", "link", "show", "dev", port._cable).stdout
        return "state forwarding" in shown and "LOWER_UP" in shown
