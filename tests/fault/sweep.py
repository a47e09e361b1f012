#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fault sweeps: `make sweep`, and a sample of it in `make test`.

Every operation that writes to a state directory (scenarios.py) is run once undisturbed to learn its
system calls. Then it is run again for each call and each thing that can be done to it (inject.py,
powercut.py): fail with ENOSPC, EIO, EROFS, EACCES, EDQUOT or EINTR, once, twice or from then on; move
half of the bytes; die; lose the power. After every one, what is on the disk must be whole, and a
restart must serve the same key (judge.py).

    sweep.py                                  everything
    sweep.py --sample                         a part of it, always the same: some of each kind
    sweep.py scenario=create call=fsync n=67 fault=EIO how=once
                                              what matches all of these; a few are shown in full

The outcome goes to standard output and build/sweep/outcome.txt, progress to standard error. Exit
status 1: something was lost. 2: this machine cannot do it.
"""

import argparse
import contextlib
import ctypes
import dataclasses
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from fault import inject, powercut, scenarios  # noqa: E402
from fault.case import Case  # noqa: E402
from fault.table import Table, kind_of  # noqa: E402

OUTPUT = inject.CHECKOUT / "build" / "sweep"
CLONE_NEWNS = 0x00020000
PROGRESS_S = 2.0
CHUNK = 16
SHOWN_IN_FULL, SHOWN_LOST = 12, 20
# How many of each kind a sample takes from a scenario.
SAMPLE = {"kill": 24, "power cut": 8}
SAMPLE_OF_OTHERS = 12
KEYS = ("scenario", "call", "n", "process", "fault", "how")


def say(text):
    print(f"sweep: {text}", file=sys.stderr, flush=True)


@dataclasses.dataclass(frozen=True)
class Task:
    """One injection into one scenario."""

    scenario: str
    fault: inject.Fault

    def field(self, key):
        call = self.fault.call
        return str({"scenario": self.scenario, "call": call.name, "n": call.number,
                    "process": call.process, "fault": self.fault.what, "how": self.fault.how}[key])

    def selection(self):
        return " ".join(f"{key}={self.field(key)}" for key in KEYS)


class Worker:
    """Runs tasks, in a directory of its own; made once a process."""

    one = None

    def __init__(self, parent):
        work = pathlib.Path(tempfile.mkdtemp(dir=parent))
        self.case = Case(work)
        self.disk = powercut.Disk(work)

    @classmethod
    def begin(cls, parent):
        cls.one = cls(parent)

    @classmethod
    def work(cls, task):
        place = cls.one.disk if kind_of(task.fault) == "power cut" else cls.one.case
        return task, place.run(scenarios.every()[task.scenario], task.fault)


@contextlib.contextmanager
def working_directory():
    """Memory to work in; it and whatever is mounted in it go with this process."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    with tempfile.TemporaryDirectory(dir=OUTPUT) as path:
        if libc.unshare(CLONE_NEWNS) < 0:
            sys.exit("sweep: mounts of our own: " + os.strerror(ctypes.get_errno()))
        for argv in (("mount", "--make-rprivate", "/"),
                     ("mount", "-t", "tmpfs", "-o", "size=2g,mode=700", "sweep", path)):
            subprocess.run(argv, check=True)
        try:
            yield pathlib.Path(path)
        finally:
            subprocess.run(("umount", "-l", path), check=False)


def evenly(items, count):
    """So many of a list, from all over it, and always the same."""
    if count >= len(items):
        return items
    return [items[i * len(items) // count] for i in range(count)]


def sample(tasks):
    """Some of each kind, at calls all over the operation; kinds begin at different ones."""
    kinds = {}
    for task in tasks:
        kinds.setdefault(kind_of(task.fault), []).append(task)
    chosen = one_of_each_call(tasks)
    # What was reported as done must be there: no cut says more.
    chosen += [task for task in tasks if task.fault.call == powercut.END]
    for i, (kind, members) in enumerate(kinds.items()):
        turned = members[i:] + members[:i]
        chosen += evenly(turned, SAMPLE.get(kind, SAMPLE_OF_OTHERS))
    return list(dict.fromkeys(chosen))


def one_of_each_call(tasks):
    """One failure of each system call that there is, each with another error."""
    calls = {}
    for task in tasks:
        if task.fault.how == "once" and task.fault.what in inject.ERRORS:
            calls.setdefault(task.fault.call.name, []).append(task)
    return [members[i % len(inject.ERRORS)] for i, members in enumerate(calls.values())]


def plan(case, wanted, can_cut, is_sample):
    """All tasks of the scenarios that are wanted."""
    tasks = []
    for name, scenario in scenarios.every().items():
        if wanted.get("scenario", name) != name or (scenario.is_bad and "scenario" not in wanted):
            continue
        calls = case.calls(scenario)
        faults = [fault for call in calls for fault in inject.faults(call)]
        if can_cut:
            faults += powercut.faults(calls)
        found = [Task(name, fault) for fault in faults]
        found = [task for task in found if all(task.field(key) == value for key, value in wanted.items())]
        tasks += sample(found) if is_sample else found
    return tasks


def run(tasks, work, jobs):
    """Runs the tasks on some processors: their outcomes, as they come."""
    with multiprocessing.get_context("fork").Pool(jobs, Worker.begin, (work,)) as pool:
        begun = told = time.monotonic()
        for done, result in enumerate(pool.imap_unordered(Worker.work, tasks, CHUNK), 1):
            yield result
            if time.monotonic() - told > PROGRESS_S:
                told = time.monotonic()
                say(f"{done} of {len(tasks)} injections, {told - begun:.0f} s: {result[0].scenario}")


def describe(task, outcome):
    call = task.fault.call
    return (f"{task.scenario}: {task.fault.what} ({task.fault.how}) at {call.name} of {call.target}: "
            f"{outcome.ended}; {outcome.problem or 'same key'}\n    make sweep S='{task.selection()}'")


def sweep(wanted, options, work):
    """The whole of it: the table, and a description of each loss."""
    can_cut = not (reason := powercut.why_not(work))
    if reason:
        say(f"no power cuts: {reason}")
    case = Case(work)
    tasks = plan(case, wanted, can_cut, options.sample)
    if not tasks:
        sys.exit("sweep: nothing matches " + " ".join(f"{key}={value}" for key, value in wanted.items()))
    table, lost = Table(), []
    results = run(tasks, work, options.jobs)
    for task, outcome in results:
        table.add(scenarios.every()[task.scenario], task.fault, outcome)
        if outcome.problem:
            lost.append(describe(task, outcome))
        if len(tasks) <= SHOWN_IN_FULL:
            print(describe(task, outcome), outcome.said, sep="\n")
    return table, lost


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", action="store_true", help="a part of it, always the same")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    parser.add_argument("select", nargs="*", metavar="KEY=VALUE", help=", ".join(KEYS))
    options = parser.parse_args()
    wanted = dict(item.partition("=")[::2] for item in options.select)
    if set(wanted) - set(KEYS):
        parser.error("keys are " + ", ".join(KEYS))
    return options, wanted


def main():
    options, wanted = parse()
    if os.geteuid() != 0:
        sys.exit("sweep: it mounts file systems: run it as root")
    begun = time.monotonic()
    with working_directory() as work:
        table, lost = sweep(wanted, options, work)
    print("\n".join(lost[:SHOWN_LOST]))
    if len(lost) > SHOWN_LOST:
        print(f"... and {len(lost) - SHOWN_LOST} more")
    text = (f"{table.text()}\n\n{table.count} injections in {time.monotonic() - begun:.0f} s, "
            f"{table.lost} lost")
    print(text)
    if not wanted and not options.sample:
        (OUTPUT / "outcome.txt").write_text(text + "\n", encoding="utf-8")
    return 1 if table.lost else 0


if __name__ == "__main__":
    sys.exit(main())
