# SPDX-License-Identifier: MIT
"""Sets the clock, so it runs in the virtual machine only: test_kernel.py names it there."""

import signal
import time

from lib.supervised import PLAIN
from lib.wait import eventually

DAY = 86400
SLEEP = ["sleep", "1000"]


def program(box):
    return next((p for p in box.processes()[1:] if p.argv == SLEEP), None)


def test_a_clock_that_jumps_by_days_changes_no_pause_and_no_limit(lab):
    box = lab.container("node", [*PLAIN, "--stop-timeout=1s", "--", *SLEEP])
    for jump in (DAY, -2 * DAY):
        killed = eventually(lambda: program(box), "the program")
        time.clock_settime(time.CLOCK_REALTIME, time.time() + jump)
        killed.signal(signal.SIGKILL)
        eventually(lambda: (now := program(box)) and now.pid != killed.pid, "the next start, as soon as ever")
        assert box.exec("wgmesh-init", "healthcheck", check=False).returncode == 0
    stubborn = program(box)
    stubborn.signal(signal.SIGSTOP)
    box.signal(signal.SIGTERM)
    time.clock_settime(time.CLOCK_REALTIME, time.time() - DAY)
    assert box.wait() == 128 + signal.SIGKILL
