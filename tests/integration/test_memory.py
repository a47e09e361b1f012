# SPDX-License-Identifier: MIT
"""A container with little memory: who took it is said, and a kill for lack of it is told from others.

Not with the sanitizers, whose own memory does not fit.
"""

import pytest

from lib import supervised
from lib.cgroup import MemoryCgroup, Unavailable
from lib.supervised import ending, endings, status
from lib.wait import eventually

MIB = 1024 * 1024


@pytest.fixture
def small_memory():
    """A memory cgroup with room for 32 MB."""
    try:
        cgroup = MemoryCgroup(32 * MIB)
    except Unavailable as missing:
        pytest.skip(str(missing))
    yield cgroup
    cgroup.remove()


@pytest.fixture
def limited(lab, small_memory):
    """Start a supervised program in 32 MB; it ends before its cgroup is removed."""
    boxes = []

    def start(*command):
        inner = small_memory.command(*supervised.PLAIN, "--", *command)
        boxes.append(lab.container("node", inner, mounts=small_memory.mounts()))
        return boxes[-1]

    yield start
    for box in boxes:
        box.destroy()


@pytest.mark.kernel
def test_a_kill_for_lack_of_memory_is_named_with_the_limit(limited):
    box = limited("probe", "complain", "taking it all", "eat", "64")
    assert "ran out of memory (limit 32 MiB), raise the limit" in ending(box)
    assert "its last line: taking it all" in ending(box)
    assert "ran out of memory" in status(box)["cause"]


@pytest.mark.kernel
def test_another_kill_is_not_taken_for_a_lack_of_memory(limited):
    box = limited("sh", "-c", "kill -KILL $$")
    assert "killed by signal 9 (Killed)" in ending(box)
    assert "not for lack of memory" in ending(box)


@pytest.mark.kernel
def test_nor_is_it_after_a_kill_that_was_for_lack_of_memory(limited):
    script = "test -e /tmp/again && kill -KILL $$; touch /tmp/again; exec probe eat 64"
    box = limited("sh", "-c", script)
    eventually(lambda: len(endings(box)) >= 2, "two endings")
    first, second = endings(box)[:2]
    assert "ran out of memory" in first
    assert "not for lack of memory" in second
