# SPDX-License-Identifier: MIT
"""A pseudo-terminal for a container, and the person in front of it."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import termios

from lib import wait


class Terminal:
    """`docker run -t`: hand it to a container as Spec.terminal; `probe terminal` makes it the session's."""

    def __init__(self):
        self._master, self._slave = pty.openpty()

    def take_slave(self):
        """The container's side, which the caller closes once the container has it."""
        slave, self._slave = self._slave, None
        return slave

    def type(self, text):
        os.write(self._master, text.encode())

    def read_until(self, text, within=5.0):
        """All that is shown up to a text; fails when it does not come."""
        shown = ""

        def has_come():
            nonlocal shown
            shown += self.read_rest()
            return text in shown

        wait.eventually(has_come, f'"{text}" on the terminal', within)
        return shown

    def read_rest(self):
        """What is shown and was not read yet."""
        shown = b""
        with contextlib.suppress(OSError):
            while select.select([self._master], [], [], 0)[0]:
                shown += os.read(self._master, 4096)
        return shown.decode(errors="replace")

    def echoes(self):
        """Does it show what is typed?"""
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def press_interrupt(self):
        self.type("\x03")

    def resize(self, rows, columns):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def foreground(self):
        """The process group in the foreground, by its number on the machine; 0 for one that is not seen."""
        return struct.unpack("i", fcntl.ioctl(self._master, termios.TIOCGPGRP, b"\0" * 4))[0]

    def hang_up(self):
        os.close(self._master)
        self._master = None

    def close(self):
        for fd in (self._master, self._slave):
            if fd is not None:
                os.close(fd)
        self._master = self._slave = None
