# SPDX-License-Identifier: MIT
"""Every parser of bytes from outside stands half a minute of libFuzzer, from the seeds that are kept.

`make fuzz` runs them for an hour each.
"""

import os

import corpus
import pytest
import run as campaign

SECONDS = 30
# Edges that the seeds alone reach, as "run.py --reach" tells. A tenth less is allowed, so that not
# each change of a parser is one of this table.
REACHED = {
    "bencode": 104,
    "body": 348,
    "dhtcore": 642,
    "dnsconf": 153,
    "dnsmsg": 91,
    "envelope": 158,
    "http": 232,
    "krpc": 217,
    "mountinfo": 150,
    "netadmin": 76,
    "netlink": 177,
    "pex": 177,
    "pid1": 283,
    "rendezvous": 278,
    "rpc": 161,
    "state": 409,
    "stun": 50,
    "uapi": 136,
}


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
    floor = REACHED[name] * 9 // 10
    seeds = corpus.seeds(name)
    assert campaign.reach(name, seeds) >= floor
    assert results[name].covered >= floor
    # Were they no messages, one would see it: of the same bytes backwards, few are.
    assert campaign.reach(name, [seed[::-1] for seed in seeds]) < floor
