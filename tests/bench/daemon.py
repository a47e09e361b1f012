#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""daemon - a node with ten, a hundred and a thousand peers: what it writes, takes and costs; `make bench-daemon`

Progress goes to standard error, the tables to standard output and, as Markdown, into a file.
"""

import argparse
import os
import pathlib
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

import crowds  # noqa: E402
import facts  # noqa: E402
import table  # noqa: E402
from containers import percentile  # noqa: E402
from lib import wait  # noqa: E402

INTRODUCTION = """\
# A node and its peers

Made by `make bench-daemon`, in one run on one machine; run it on yours, since all numbers depend on the
machine. The node is wgmesh-init with the daemon, in namespaces, with wireguard-go and without the DHT and STUN.
Its peers are made up: each has a key, an address and a voice of its own, and no WireGuard. No tunnel comes
about, and the node goes on trying; but where it says so below, WireGuard is made to say that they live. What wireguard-go is asked is seen by a proxy in front of it, which
costs a little. wireguard-go itself, its memory and processor time, is in none of the figures but the times.
"""


def shown(values):
    """One value, or p50 and p99 of many; "-" for what was not measured."""
    if isinstance(values, list):
        return " / ".join(f"{percentile(values, percent):.1f}" for percent in (50, 99)) if values else "-"
    return "-" if values is None else f"{values:.0f}" if abs(values) >= 100 or values == int(values) else f"{values:.2f}"


def lines_of(results):
    """The table: a line for each figure, a column for each number of peers."""
    yield ["", *(f"{n} peers" for n in results), "goal"]
    for figure in crowds.FIGURES:
        yield [figure.name, *(shown(results[n].get(figure.name)) for n in results), figure.goal or "-"]


def markdown(about, results, once):
    text = [INTRODUCTION, *(f"- {name}: {value}" for name, value in about), ""]
    text += table.markdown(list(lines_of(results)))
    text += ["", *table.markdown([["", "value", "goal"], *([f.name, shown(once.get(f.name)), f.goal or "-"]
                                                           for f in crowds.ONCE)])]
    text += ["", "How each line is measured:", ""]
    text += [f"- **{figure.name}**: {figure.how}." for figure in (*crowds.FIGURES, *crowds.ONCE)]
    return "\n".join(text) + "\n"


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def options():
    parser = argparse.ArgumentParser(description="Measure a node that has many peers.")
    parser.add_argument("--peers", type=int, action="append", metavar="N", help="so many; may be repeated")
    parser.add_argument("--moves", type=int, default=1000, help="changes of a peer that are timed")
    parser.add_argument("--joins", type=int, default=20, help="starts that are timed")
    parser.add_argument("--idle", type=int, default=60, metavar="SECONDS", help="how long to watch an idle node")
    parser.add_argument("--flood", type=int, default=10, metavar="SECONDS", help="how long to send HELLOs")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="write the tables there, too")
    return parser.parse_args()


def main():
    wanted = options()
    if os.geteuid() != 0:
        sys.exit("bench: it makes namespaces: run it as root")
    wait.scale = 10
    begun = time.monotonic()
    about = [*facts.machine("ext4"), facts.version_of("wireguard-go"), facts.version_of("wireguard-tools"),
             ("changes timed", str(wanted.moves)), ("load of the machine before", f"{os.getloadavg()[0]:.1f}")]
    results = {n: crowds.measure(n, wanted, say) for n in wanted.peers or (10, 100, 1000)}
    once = {"join": crowds.joins(wanted.joins, say), "return": crowds.returns(wanted.joins, say)}
    say(f"done in {time.monotonic() - begun:.0f} s")
    text = markdown(about, results, once)
    print(text)
    if wanted.markdown:
        wanted.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
