# SPDX-License-Identifier: MIT
"""A directory seen through FUSE: a file system of its own, so its locks end where it ends, as on NFS without them."""

import contextlib
import os
import signal
import subprocess

from lib import wait


class Mirror:
    """bindfs: another mount of a directory, which can be made to hang as a server does that is away."""

    def __init__(self, source, mountpoint):
        self.path = mountpoint
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "bindfs", "-f", str(source), str(mountpoint)],
            stdin=subprocess.DEVNULL)
        try:
            wait.eventually(lambda: os.path.ismount(mountpoint), f"bindfs on {mountpoint}")
        except AssertionError:
            self.close()
            raise

    def hang(self):
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
        subprocess.run(["umount", "-l", str(self.path)], check=False, stderr=subprocess.DEVNULL)
        self._process.terminate()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
