# SPDX-License-Identifier: MIT
"""Every parser of bytes from outside stands half a minute of libFuzzer, from the seeds that are kept.

`make fuzz` runs them for an hour each.
"""

import os

import pytest

import run as campaign

SECONDS = 30


@pytest.fixture(scope="session")
def results():
    """All targets, two at a time: the tests look their own result up."""
    return {r.name: r for r in campaign.run_all(campaign.TARGETS, SECONDS, os.cpu_count())}


@pytest.mark.parametrize("name", campaign.TARGETS)
def test_a_parser_stands_what_anybody_may_send(results, name):
    assert results[name].is_good, results[name].output[-4000:]


@pytest.mark.parametrize("name", campaign.TARGETS)
def test_a_target_gets_into_what_it_is_for(results, name):
    """Seeds that no longer parse, or a harness that stops at the door, would fuzz nothing."""
    assert results[name].covered > 100
