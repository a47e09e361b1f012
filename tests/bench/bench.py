#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench - wgmesh-init beside the inits that containers usually have; `make bench-init`

Progress goes to standard error, the tables to standard output and, as Markdown, into a file.
"""

import argparse
import os
import pathlib
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

import facts  # noqa: E402
import phases  # noqa: E402
import table  # noqa: E402
from measure import Bench, Candidate  # noqa: E402

BUILD = TESTS.parent / "build" / "release"
OURS = ("wgmesh-init", "wgmesh-init once")
PACKAGES = {"tini": "tini", "tini-static": "tini", "dumb-init": "dumb-init", "catatonit": "catatonit"}


def candidates(only):
    own = str(BUILD / "wgmesh-init")
    found = [Candidate(OURS[0], (own, "--state-dir=none", "--")),
             Candidate(OURS[1], (own, "--state-dir=none", "--restart=never", "--")),
             *(Candidate(name, (f"/usr/bin/{name}", "--")) for name in PACKAGES)]
    return [candidate for candidate in found if not only or candidate.name in only]


def all_facts(chosen):
    """Of the machine, and of what is compared."""
    yield from facts.machine(facts.output_of("findmnt", "-n", "-o", "FSTYPE", "-T", BUILD))
    for name in sorted({PACKAGES[c.name] for c in chosen if c.name in PACKAGES}):
        yield facts.version_of(name)


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def options():
    parser = argparse.ArgumentParser(description="Compare wgmesh-init with other inits of containers.")
    parser.add_argument("--rounds", type=int, default=300, help="starts of each candidate; all else follows")
    parser.add_argument("--idle", type=int, default=10, metavar="SECONDS", help="how long to watch idle ones")
    parser.add_argument("--only", action="append", metavar="NAME", help="this candidate; may be repeated")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="write the tables there, too")
    return parser.parse_args()


def main():
    wanted = options()
    if os.geteuid() != 0:
        sys.exit("bench: it makes namespaces and traces processes: run it as root")
    begun = time.monotonic()
    chosen = candidates(wanted.only)
    with Bench(chosen, BUILD, wanted.rounds, wanted.idle, say) as bench:
        rows = list(bench.rows())
    costs = phases.measure(max(1, wanted.rounds // 15), say)
    say(f"done in {time.monotonic() - begun:.0f} s")
    result = table.Result(list(all_facts(chosen)), [c.name for c in chosen], OURS, rows, costs)
    print(result.text())
    if wanted.markdown:
        wanted.markdown.write_text(result.markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
