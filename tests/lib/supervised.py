# SPDX-License-Identifier: MIT
"""The probe (tests/helper/probe.c) under a wgmesh-init that has no state, and what the probe says."""

import ctypes
import json
import queue
import time

from lib import wait

PLAIN = ("wgmesh-init", "--state-dir=none")
LIBC = ctypes.CDLL(None, use_errno=True)


_LEAVE_GROUP = """
import os, signal, sys
child = os.fork()
if child == 0:
    signal.pause()
os.setpgid(child, child)
os.setpgid(0, child)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def in_another_group(*command):
    """The same command, in a process group that it is not the leader of; its own one is empty."""
    return ["/usr/bin/python3", "-I", "-c", _LEAVE_GROUP, *command]


class Lines:
    """What a container prints, from now on, line by line and without a poll."""

    def __init__(self, output):
        self._output = output
        self._queue = queue.SimpleQueue()
        output.watch(self._queue.put)

    def take(self, within=5.0):
        deadline = time.monotonic() + within * wait.scale
        while True:
            is_over = not self._output.is_alive() or time.monotonic() > deadline
            try:
                return self._queue.get(timeout=0 if is_over else 0.1)
            except queue.Empty:
                assert not is_over, f"no further line within {within:g} s, or before the end"

    def take_until(self, end, within=5.0):
        """All lines before the line `end`."""
        lines = []
        while (line := self.take(within)) != end:
            lines.append(line)
        return lines

    def counts(self):
        """The answer to "answer SIG counts": signal to how often it came."""
        pairs = [line.split()[1:] for line in self.take_until("counts: end") if line.startswith("count ")]
        return {int(number): int(times) for number, times in pairs}


def start(lab, *verbs, init=(), before=(), **options):
    """A container whose PID 1 is wgmesh-init, with the probe as its program.

    init    further options of wgmesh-init
    before  verbs for the probe to run first as PID 1, before it becomes wgmesh-init
    """
    first = ["probe", *before, "exec"] if before else []
    return lab.container("node", [*first, *PLAIN, *init, "--", "probe", *verbs], **options)


def ready(box, n=1):
    """Wait until `n` probes report; returns the lines that follow."""
    lines = Lines(box.stdout)
    for _ in range(n):
        lines.take_until("ready")
    return lines


def queue_signal(pid, number, value):
    """sigqueue(3): a signal with a value."""
    if LIBC.sigqueue(pid, number, ctypes.c_void_p(value)) != 0:
        raise OSError(ctypes.get_errno(), "sigqueue")


def state(lines):
    """What the verb state printed, as a dictionary of lists: a key may occur many times."""
    found = {}
    for line in lines:
        key, _, value = line.partition(":")
        found.setdefault(key, []).append(value.strip())
    return found


def endings(box):
    """What the supervisor said of its program's endings, the first one first."""
    return [event["msg"] for event in box.log.events()
            if event.get("component") == "supervise" and "exit_code" in event]


def ending(box, within=5.0):
    """The first of these sentences."""
    return wait.eventually(lambda: endings(box), "the program's end", within)[0]


def status(box):
    """What PID 1 knows."""
    return json.loads(box.exec("wgmesh-init", "status", "--json").stdout)
