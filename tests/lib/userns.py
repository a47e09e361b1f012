# SPDX-License-Identifier: MIT
"""User namespaces, as rootless engines and userns remapping make them.

A namespace and a network that it owns are held by two descriptors of this process and by nothing
else. Inside number equals outside number, so that the machine's own files serve as an image.
"""

import ctypes
import os

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


class UserNamespace:
    """A user namespace in which the numbers below `count` exist, and its own network."""

    def __init__(self, count):
        ready, is_ready = os.pipe()
        leave, may_leave = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(may_leave)
            if _libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
                os.write(is_ready, b"x")
                os.read(leave, 1)
            os._exit(0)
        os.close(is_ready)
        os.close(leave)
        try:
            assert os.read(ready, 1) == b"x", "unshare(2) of a user namespace"
            for name in ("uid_map", "gid_map"):
                with open(f"/proc/{pid}/{name}", "w", encoding="ascii") as file:
                    file.write(f"0 0 {count}\n")
            self._user = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
            self.network = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(ready)
            os.close(may_leave)
            os.waitpid(pid, 0)

    @property
    def path(self):
        """A path that nsenter(1) takes; valid until close()."""
        return f"/proc/{os.getpid()}/fd/{self._user}"

    def take_network(self):
        """The descriptor of its network, for whoever closes it."""
        network, self.network = self.network, -1
        return network

    def close(self):
        for fd in (self._user, self.network):
            if fd >= 0:
                os.close(fd)
        self._user = self.network = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
