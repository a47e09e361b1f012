# SPDX-License-Identifier: MIT
"""Waiting for a condition, with a deadline and without a sleep that somebody has to tune."""

import time

POLL_S = 0.01

# How much longer than on real hardware everything may take; an emulated processor is slow.
scale = 1.0


class NotYet(AssertionError):
    """A condition did not come true before its deadline."""


def eventually(condition, what, within=5.0):
    """Call `condition` until it returns something true, and return that.

    An AssertionError that `condition` raises counts as "not yet", so that it may be written with
    asserts; the last one is shown when the deadline passes.
    """
    within *= scale
    deadline = time.monotonic() + within
    while True:
        last = None
        try:
            value = condition()
        except AssertionError as error:
            value, last = None, error
        if value:
            return value
        if time.monotonic() >= deadline:
            because = f": {last}" if last else ""
            raise NotYet(f"waited {within:g} s for {what}{because}")
        time.sleep(POLL_S)
