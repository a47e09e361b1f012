# SPDX-License-Identifier: MIT
"""A sample of the fault sweeps, some of every kind in every scenario; `make sweep` runs all of them."""

import base64
import json
import pathlib
import re
import subprocess
import sys

import pytest

from fault import judge, scenarios
from fault.inject import Result
from fault.table import KINDS

SWEEP = pathlib.Path(__file__).resolve().parent / "sweep.py"
GOOD = [name for name, scenario in scenarios.every().items() if not scenario.is_bad]
BAD = [name for name, scenario in scenarios.every().items() if scenario.is_bad]
TIME_LIMIT_S = 300


def sweep(*arguments):
    done = subprocess.run([sys.executable, "-B", SWEEP, *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=TIME_LIMIT_S, check=False)
    return done.returncode, done.stdout


def skip_without_power_cuts(said):
    if "no power cuts:" in said:
        pytest.skip(re.findall("no power cuts:.*", said)[0])


@pytest.fixture(scope="module")
def sampled():
    """What a sweep of a sample of everything said; it is one, because a sweep is parallel in itself."""
    return sweep("--sample")[1]


@pytest.mark.parametrize("scenario", GOOD)
def test_after_every_fault_the_same_key_is_served(sampled, scenario):
    row = re.search(rf"^{scenario} +(.*)$", sampled, re.MULTILINE)
    assert row, sampled
    counts = dict(zip((*KINDS, "injections", "same key", "lost"), row[1].split()))
    assert counts.pop("lost") == "0", sampled
    missing = {kind for kind, count in counts.items() if count == "-"}
    assert missing <= {"power cut"}, sampled
    if missing:
        skip_without_power_cuts(sampled)


@pytest.mark.parametrize("scenario", BAD)
def test_a_writer_that_loses_keys_is_caught(scenario):
    code, said = sweep("--sample", f"scenario={scenario}")
    assert code == 1, said
    assert re.search(r"[1-9]\d* lost$", said, re.MULTILINE), said


def test_a_name_without_its_contents_is_caught_after_a_power_cut():
    code, said = sweep("scenario=unsynced", "fault=commit", "call=end")
    skip_without_power_cuts(said)
    assert code == 1 and "wg0.json is empty" in said, said


def test_a_key_that_another_one_replaces_without_a_copy_is_caught():
    code, said = sweep("scenario=forgetful", "fault=kill", "call=exit_group")
    assert code == 1 and "there is no copy left of" in said, said


@pytest.mark.parametrize("form", [lambda key: key, lambda key: key.rstrip("="), lambda key: base64.b64decode(key).hex()])
def test_a_private_key_that_is_shown_is_noticed(form):
    tree = {"state/.snapshots/wg0.json.1": scenarios.file(scenarios.OURS)}
    shown = form(json.loads(scenarios.OURS)["wg_private_key"])
    assert not list(judge.leak_problems(Result(65, "", "an error"), "", tree))
    for result, said in ((Result(0, shown, ""), ""), (Result(65, "", f"x{shown}"), ""), (Result(0, "", ""), shown)):
        assert list(judge.leak_problems(result, said, tree)) == ["it shows a private key"]
