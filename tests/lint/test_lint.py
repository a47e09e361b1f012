# SPDX-License-Identifier: MIT
"""`make lint`, a check at a time; without it, a style that nobody enforces drifts."""

import pathlib
import subprocess

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
CHECKS = ("format", "headers", "tidy", "cppcheck", "analyzer", "banned", "shell", "python")


@pytest.mark.parametrize("check", CHECKS)
def test_the_tree_passes(check):
    done = subprocess.run(["make", "--no-print-directory", f"lint-{check}"], cwd=CHECKOUT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout


def test_make_lint_runs_each_of_these_checks():
    listed = subprocess.run(["make", "--no-print-directory", "list-lint"], cwd=CHECKOUT, text=True,
                            stdout=subprocess.PIPE, check=True).stdout.split()
    assert sorted(listed) == sorted(f"lint-{check}" for check in CHECKS)
