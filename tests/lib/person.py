# SPDX-License-Identifier: MIT
"""wgmesh as a person types it on the machine itself: with a terminal, or into a pipe."""

import fcntl
import os
import signal
import subprocess
import termios

from lib import wait
from lib.lab import CHECKOUT
from lib.screen import Screen
from lib.terminal import Terminal

SANITIZER = {"ASAN_OPTIONS": "detect_leaks=0"}


def program(variant="release"):
    return CHECKOUT / "build" / variant / "wgmesh"


def environment(**variables):
    return {"PATH": os.environ["PATH"], "TERM": "xterm", **SANITIZER, **variables}


def run(*arguments, variant="release", env=None, **kwargs):
    """Run wgmesh and wait; returns a CompletedProcess with text."""
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([program(variant), *arguments], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False,
                          env=environment(**(env or {})), **kwargs)


class Session:
    """A command on a terminal of its own, and what its screen shows."""

    def __init__(self, *command, rows=24, columns=80, env=None, cwd=None):
        self.terminal = Terminal()
        self.terminal.resize(rows, columns)
        self.screen = Screen(rows, columns)
        self.shown = ""
        slave = self.terminal.take_slave()
        # The size of a terminal is set before anybody looks at it.
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), env=environment(**(env or {})), cwd=cwd)
        os.close(slave)

    def look(self):
        """The screen's lines now."""
        new = self.terminal.read_rest()
        self.shown += new
        self.screen.write(new)
        return self.screen.lines()

    def wait_for(self, condition, what, within=5.0):
        """Wait until the screen's lines fulfil a condition; returns them."""
        def fulfilled():
            lines = self.look()
            return lines if condition(lines) else None
        return wait.eventually(fulfilled, f"{what} on the screen: {self.screen.text()}", within)

    def wait_for_text(self, text, within=5.0):
        return self.wait_for(lambda lines: any(text in line for line in lines), f'"{text}"', within)

    def resize(self, rows, columns):
        """A terminal's screen is another one after it was resized: what it shows comes anew."""
        self.look()
        self.screen = Screen(rows, columns)
        self.terminal.resize(rows, columns)

    def end(self, within=5.0):
        """Wait for the end of the command; returns its exit code, as a shell has it."""
        code = self.process.wait(within * wait.scale)
        self.look()
        return code if code >= 0 else 128 - code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.terminal.close()
