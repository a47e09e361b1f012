# SPDX-License-Identifier: MIT
"""Many nodes in one process, under a simulated clock and a simulated lossy network; see docs/sim.md.

`make sim` does the same with a thousand nodes.
"""

import re
import subprocess

import pytest

from lib.lab import CHECKOUT
from lib import wait

SCENARIOS = "lan rough seeds far restart partition churn hostile".split()


def run(variant, *args):
    """Runs the simulation; returns its rows, as lists of words, without the last: what it cost."""
    done = subprocess.run([CHECKOUT / f"build/{variant}/sim", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=600 * wait.scale, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split()[:-1] for line in done.stdout.splitlines()[1:]]


@pytest.mark.parametrize("scenario", ["lan", "seeds"])
def test_a_hundred_nodes_have_each_other_in_time(variant, scenario):
    rows = run(variant, "-n", "100", "-r", "2", scenario)
    assert [row[0] for row in rows] == [scenario] * 2
    assert all(0 < float(row[3]) <= 15 for row in rows)


@pytest.mark.asan
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_breaks_among_a_few(variant, scenario):
    assert run(variant, "-n", "20", scenario)


def test_a_seed_says_all(variant):
    assert run(variant, "-n", "25", "-s", "7", "far") == run(variant, "-n", "25", "-s", "7", "lan", "far")[1:]
    assert run(variant, "-n", "25", "-s", "7", "far") != run(variant, "-n", "25", "-s", "8", "far")


def test_a_requirement_that_does_not_hold_is_told_of(variant):
    done = subprocess.run([CHECKOUT / f"build/{variant}/sim", "-n", "25", "-t", "0.5", "far"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert re.search(r"^sim: again with: sim -n 25 -s 1 far$", done.stderr, re.MULTILINE)
