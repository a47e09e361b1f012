# SPDX-License-Identifier: MIT
"""Directories behind a file system of their own (bindfs): like a server that is slow, away, or refuses root.

Locks end where such a file system ends, as they do on NFS that is mounted without them.
"""

import contextlib
import os
import signal
import subprocess

from lib import wait


class Fuse:
    """A directory seen through bindfs; close() leaves nothing mounted."""

    def __init__(self, source, target, *options):
        self.path = target
        self._server = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "bindfs", "-f", "-o", "allow_other", *options, source, target],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            wait.eventually(self._is_mounted, f"bindfs on {target}")
        except AssertionError:
            self.close()
            raise

    def _is_mounted(self):
        assert self._server.poll() is None, self._server.stderr.read().decode()
        return os.path.ismount(self.path)

    def hang(self):
        """From now on, nobody who asks gets an answer."""
        self._server.send_signal(signal.SIGSTOP)

    def answer(self):
        """And now all who asked get theirs."""
        self._server.send_signal(signal.SIGCONT)

    def close(self):
        # Its end by itself would wait for all that copied the machine's mounts meanwhile.
        subprocess.run(["umount", "--lazy", self.path], check=False, stderr=subprocess.DEVNULL)
        self._server.kill()
        self._server.wait()
        self._server.stderr.close()
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
