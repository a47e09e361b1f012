# SPDX-License-Identifier: MIT
"""File systems that behave as servers do: they refuse root, are slow, or stop answering (bindfs)."""

import contextlib
import os
import signal
import subprocess

from lib import wait


class Fuse:
    """A directory seen through bindfs; close() leaves nothing mounted."""

    def __init__(self, source, target, *options):
        self.path = target
        target.mkdir(parents=True, exist_ok=True)
        self._server = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "bindfs", "-f", "-o", "allow_other", *options, source,
             target],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait.eventually(self._is_mounted, f"bindfs on {target}")

    def _is_mounted(self):
        assert self._server.poll() is None, self._server.stderr.read().decode()
        return os.path.ismount(self.path)

    def freeze(self):
        """From now on, nobody who asks gets an answer."""
        self._server.send_signal(signal.SIGSTOP)

    def close(self):
        # Containers that hold it may be gone or not: it ends with the last of them.
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
