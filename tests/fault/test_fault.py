# SPDX-License-Identifier: MIT
"""A sample of the fault sweeps; `make sweep` runs all of them."""

import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import scenarios  # noqa: E402
from table import KINDS  # noqa: E402

GOOD = [name for name, scenario in scenarios.every().items() if not scenario.is_bad]
BAD = [name for name, scenario in scenarios.every().items() if scenario.is_bad]
TIME_LIMIT_S = 300


def sweep(name):
    done = subprocess.run([sys.executable, "-B", str(HERE / "sweep.py"), "--sample", f"scenario={name}"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=TIME_LIMIT_S, check=False)
    return done.returncode, done.stdout + done.stderr


def counts(said):
    """The last row of the table: how many injections of each kind."""
    return dict(zip(KINDS, map(int, re.findall(r"^all +(.*)$", said, re.MULTILINE)[0].split())))


@pytest.mark.parametrize("scenario", GOOD)
def test_after_every_fault_the_same_key_is_served(scenario):
    code, said = sweep(scenario)
    assert code == 0, said
    missing = [kind for kind, count in counts(said).items() if count == 0 and kind != "power cut"]
    assert missing == [], said
    if "no power cuts:" in said:
        pytest.skip(re.findall("no power cuts:.*", said)[0])


@pytest.mark.parametrize("scenario", BAD)
def test_a_writer_that_loses_keys_is_caught(scenario):
    code, said = sweep(scenario)
    assert code == 1, said
    assert re.search(r"[1-9]\d* lost$", said, re.MULTILINE)


def test_a_key_without_its_contents_is_caught_after_a_power_cut():
    done = subprocess.run([sys.executable, "-B", str(HERE / "sweep.py"), "scenario=unsynced", "fault=commit",
                           "call=end"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=TIME_LIMIT_S, check=False)
    if "no power cuts:" in done.stdout:
        pytest.skip(re.findall("no power cuts:.*", done.stdout)[0])
    assert done.returncode == 1 and "wg0.json is empty" in done.stdout, done.stdout
