#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""containers - how long a node's container takes to start, to learn of peers, to stop; `make bench-containers`

Progress goes to standard error, the table to standard output and, as Markdown, into a file.
"""

import argparse
import math
import os
import pathlib
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "container")]

from box import BUSYBOX, Box, Unavailable  # noqa: E402
from engines import ENGINES, image_tar  # noqa: E402
from lives import FLOOR, OURS, TINI, Lives  # noqa: E402
import facts  # noqa: E402
import table  # noqa: E402

NAMES = (OURS, TINI, FLOOR)
INTRODUCTION = """\
# How long a container takes

Made by `make bench-containers`, in one run on one machine; run it on yours, since all numbers depend on the
machine. Every run counts: none is dropped. The image is the full one, with wireguard-go, and the engine that
of Debian 12 in namespaces of its own. A second node with the same secret is there before, and stays. In every
round each candidate has its turn, in an order that changes.

`wgmesh-init` is the image as it is. `tini` is the same image, volume and daemon under `tini -- wgmesh join`:
no check of the volume, no lock, no verification of the key, no user other than root. `engine alone` is the
same image with a program that does nothing. Times are milliseconds; the last column divides the medians, and
says of a goal whether the slowest run of all kept it.

A node is to be ready 5 s after `docker run` at the latest. That time is mostly the engine's, so there is a second
goal, 300 ms, for what the container itself takes. A start that waits for the disk or for a processor is slow in the
engine, too: see the first line beside the two that follow, and the load of the machine.
"""


def percentile(values, percent):
    """The smallest value that so many of a hundred do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def cells(row):
    """A line of the table: for each candidate p50, p99 and max."""
    yield row.name
    for name in NAMES:
        runs = row.runs.get(name)
        yield " / ".join(f"{percentile(runs, percent):.1f}" for percent in (50, 99, 100)) if runs else "-"
    yield "-" if row.goal_ms is None else f"{row.goal_ms:.0f}"
    yield verdict(row)


def verdict(row):
    """How the medians compare, and whether the worst run keeps the goal."""
    own = percentile(row.runs[OURS], 50)
    words = [f"{own / percentile(row.runs[name], 50):.2f} of {name}" for name in NAMES[1:] if name in row.runs]
    if row.goal_ms is not None:
        words.append("kept" if max(row.runs[OURS]) < row.goal_ms else "missed")
    return ", ".join(words) or "-"


def markdown(lines, rows):
    heading = ["p50 / p99 / max (ms)", *NAMES, "goal", "wgmesh-init against"]
    text = [INTRODUCTION, *(f"- {name}: {value}" for name, value in lines), ""]
    text += table.markdown([heading, *(list(cells(row)) for row in rows)])
    text += ["", "How each line is measured:", ""]
    text += [f"- **{row.name}**: {row.how}." for row in rows]
    return "\n".join(text) + "\n"


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def options():
    parser = argparse.ArgumentParser(description="Measure the life of a node's container.")
    parser.add_argument("--rounds", type=int, default=100, help="runs of each measurement")
    parser.add_argument("--engine", choices=("docker", "docker13"), default="docker")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="write the table there, too")
    return parser.parse_args()


def main():
    wanted = options()
    if os.geteuid() != 0:
        sys.exit("bench: it makes namespaces and starts an engine: run it as root")
    begun = time.monotonic()
    try:
        with Box() as box:
            image_tar(box.directory / "image.tar", BUSYBOX)
            engine = ENGINES[wanted.engine](box, box.directory / "image.tar")
            volume = box.run("findmnt", "-n", "-o", "FSTYPE", "-T", box.disk).stdout.strip()
            lines = [*facts.machine(volume), *facts.engine(engine), ("rounds", str(wanted.rounds)),
                     ("load of the machine before", f"{os.getloadavg()[0]:.1f}")]
            with Lives(engine, wanted.rounds, say) as lives:
                rows = lives.measure()
    except Unavailable as missing:
        sys.exit(f"bench: no engine can run here, for lack of {missing}")
    say(f"done in {time.monotonic() - begun:.0f} s")
    text = markdown(lines, rows)
    print(text)
    if wanted.markdown:
        wanted.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
