#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the fuzz targets, some at a time, and tells how often each was executed.

    run.py [--seconds N] [--jobs N] [--keep | --reach] [NAME...]

--keep folds what was found into tests/fuzz/corpus. --reach runs nothing but the seeds, and tells how
many edges they reach. An input that breaks a target is left in
build/fuzz/crashes, and the exit code is 1.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import corpus  # noqa: E402  (a neighbour of this script)

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
BUILD = CHECKOUT / "build" / "fuzz"
TARGETS = sorted(path.stem[len("fuzz_"):] for path in CHECKOUT.glob("tests/fuzz/fuzz_*.c"))
ENDING_S = 60  # for what is under way when the time is over
MEMORY_MB = 1024
INPUT_S = 10  # an input that takes longer is a defect
EXECUTED = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
COVERED = re.compile(r"cov: (\d+)")


class Result:
    """What came of one target."""

    def __init__(self, name, code, output):
        self.name = name
        self.output = output
        executed = EXECUTED.search(output)
        self.executions = int(executed.group(1)) if executed else 0
        self.covered = max(map(int, COVERED.findall(output)), default=0)
        self.is_good = code == 0 and self.executions > 0


def run(name, seconds):
    """Run one target for some time."""
    found = BUILD / "corpus" / name
    crashes = BUILD / "crashes"
    crashes.mkdir(parents=True, exist_ok=True)
    corpus.unpack(name, found)
    done = subprocess.run(
        [BUILD / f"fuzz_{name}", found, f"-max_total_time={seconds}", f"-timeout={INPUT_S}",
         f"-rss_limit_mb={MEMORY_MB}", f"-artifact_prefix={crashes}/{name}-",
         "-print_final_stats=1", "-use_value_profile=1"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        timeout=seconds + ENDING_S, env={**os.environ, "ASAN_OPTIONS": "allocator_may_return_null=1"})
    return Result(name, done.returncode, done.stdout.decode(errors="replace"))


def reach(name, seeds):
    """How many edges some inputs reach, and nothing that is made of them."""
    with tempfile.TemporaryDirectory(prefix="reach-") as directory:
        corpus.write(seeds, pathlib.Path(directory))
        done = subprocess.run([BUILD / f"fuzz_{name}", directory, "-runs=0"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
                              timeout=ENDING_S)
    return max(map(int, COVERED.findall(done.stdout.decode(errors="replace"))))


def run_all(names, seconds, jobs):
    """Run several targets side by side; hands each result out when it is there."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda name: run(name, seconds), names)


def minimize(name):
    """Fold what a campaign found into the seeds that are kept."""
    small = BUILD / "minimized" / name
    small.mkdir(parents=True, exist_ok=True)
    subprocess.run([BUILD / f"fuzz_{name}", "-merge=1", small, BUILD / "corpus" / name],
                   stdin=subprocess.DEVNULL, capture_output=True, check=True)
    corpus.pack(name, small)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--reach", action="store_true")
    parser.add_argument("names", nargs="*", default=TARGETS)
    args = parser.parse_args()
    if args.reach:
        for name in args.names or TARGETS:
            print(f"{name:<12} {reach(name, corpus.seeds(name)):>6}", flush=True)
        return 0
    is_good = True
    print(f"{'target':<12} {'executions':>12} {'a second':>9} {'edges':>6}  result", flush=True)
    for result in run_all(args.names or TARGETS, args.seconds, args.jobs):
        print(f"{result.name:<12} {result.executions:>12} {result.executions // args.seconds:>9} "
              f"{result.covered:>6}  {'good' if result.is_good else 'BROKEN'}", flush=True)
        if not result.is_good:
            is_good = False
            print(result.output[-4000:])
        elif args.keep:
            minimize(result.name)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
