# SPDX-License-Identifier: MIT
"""A memory cgroup with a limit, of either version, for one container; removed with the test."""

import contextlib
import pathlib
import secrets

from lib import wait
from lib.container import Mount

MOUNTED = pathlib.Path("/sys/fs/cgroup")


class Unavailable(Exception):
    """This machine has no memory cgroups to make; says what is missing."""


class MemoryCgroup:
    """What an engine makes for `docker run --memory`."""

    def __init__(self, limit):
        self._is_unified = (MOUNTED / "cgroup.controllers").exists()
        top = MOUNTED if self._is_unified else MOUNTED / "memory"
        self._path = top / f"wgmesh-test-{secrets.token_hex(4)}"
        name = "memory.max" if self._is_unified else "memory.limit_in_bytes"
        try:
            self._path.mkdir()
            (self._path / name).write_text(str(limit))
        except OSError as error:
            self.remove()
            raise Unavailable(f"no memory cgroup can be made below {top} ({error.strerror}): it takes "
                              f"root and a writable cgroup file system with the memory controller, "
                              f"as in `docker run --privileged --cgroupns=host`") from None

    def mounts(self):
        """How a container sees it: as the root of the cgroup file systems, with the host's paths hidden."""
        if self._is_unified:
            return [Mount.bind(self._path, str(MOUNTED))]
        return [Mount.tmpfs(str(MOUNTED)), Mount.bind(self._path, str(MOUNTED / "memory"))]

    def command(self, *argv):
        """A command that runs in it."""
        procs = MOUNTED / ("cgroup.procs" if self._is_unified else "memory/cgroup.procs")
        return ["sh", "-c", f'echo 0 >{procs} && exec "$@"', "sh", *argv]

    def remove(self):
        with contextlib.suppress(FileNotFoundError):
            # It is busy until the last process in it has gone.
            wait.eventually(self._is_removed, f"the end of {self._path}")

    def _is_removed(self):
        try:
            self._path.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return False
        return True
