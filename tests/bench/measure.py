# SPDX-License-Identifier: MIT
"""What is measured of an init, and how: every candidate under the same conditions, run by run in turn."""

import contextlib
import dataclasses
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

from lib.container import Process

FREE = -1
ONE_CPU, OTHER_CPU = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
SETTLE_S = 0.01
BLOCK = 50  # signals in a row to one candidate
BURST = 5000  # zombies in one go
NO_INIT = "no init"


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An init: what it is called in tables, and its command line before the program's."""

    name: str
    argv: tuple

    @property
    def program(self):
        return self.argv[0]


@dataclasses.dataclass
class Row:
    """One line of the table: a value for each candidate, and a sentence on how it came about."""

    name: str
    unit: str
    how: str
    values: dict
    more_is_better: bool = False


class Bench:
    """The candidates and the effort.

    rounds  starts of every candidate; all else follows from it
    idle_s  how long idle processes are watched
    say     called with a word on what is measured now
    """

    def __init__(self, candidates, build, rounds, idle_s, say):
        self.candidates = candidates
        self.bare = Candidate(NO_INIT, ())
        self.initbench = str(build / "initbench")
        self.probe = str(build / "probe")
        self.rounds = rounds
        self.idle_s = idle_s
        self.say = say
        # The same order every time, and in it nobody always comes after the same one.
        self._random = random.Random(1)
        self._directory = tempfile.TemporaryDirectory(dir="/dev/shm")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._directory.cleanup()

    def rows(self):
        yield from self.start_up(FREE, "free", "")
        yield from self.start_up(ONE_CPU, "one CPU", ", all of it pinned to one CPU")
        yield self.system_calls()
        yield from self.memory()
        yield from self.idle()
        yield from self.latency((FREE, FREE), "free", "; nobody is pinned, and whether the scheduler puts "
                                "the sender on the same CPU makes a factor of four, by chance")
        yield from self.latency((ONE_CPU, ONE_CPU), "one CPU", "; all three are pinned to one CPU")
        yield from self.latency((ONE_CPU, OTHER_CPU), "two CPUs", "; the sender is pinned to one CPU, init "
                                "and program to another")
        yield from self.reaping()
        yield self.stop()
        yield from sizes(self.candidates)

    # Tools

    def _run(self, *args):
        done = subprocess.run([self.initbench, *map(str, args)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"initbench {' '.join(map(str, args))}: {done.stdout}{done.stderr}")
        return [int(line) for line in done.stdout.split()]

    def _in_turn(self, what, candidates, rounds, once):
        """Call once(candidate) for each in a new order every round: lists of results, by name."""
        results = {candidate.name: [] for candidate in candidates}
        order = list(candidates)
        for turn in range(rounds):
            if turn % 25 == 0:
                self.say(f"{what}: {turn}/{rounds}")
            self._random.shuffle(order)
            for candidate in order:
                results[candidate.name].extend(once(candidate))
        return results

    def _page(self, candidate):
        return f"{self._directory.name}/{candidate.name.replace(' ', '-')}-{self._random.random()}"

    @contextlib.contextmanager
    def _held(self, candidate, cpu=FREE):
        """A running candidate with a child that waits for signals: PID 1 and the shared page."""
        page = self._page(candidate)
        command = [self.initbench, "hold", str(cpu), page, *candidate.argv, self.initbench, "child", page]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield Process(int(holder.stdout.readline())), page
        finally:
            holder.communicate()

    @contextlib.contextmanager
    def _all_held(self, candidates):
        with contextlib.ExitStack() as stack:
            held = {c.name: stack.enter_context(self._held(c)) for c in candidates}
            time.sleep(30 * SETTLE_S)
            yield held

    # Measurements

    def start_up(self, cpu, label, where):
        runs = self._in_turn(f"start-up, {label}", [self.bare, *self.candidates], self.rounds,
                             lambda c: self._run("life", cpu, *c.argv, self.probe, "exit", "0"))
        yield Row(f"life of `exit 0`, {label}", "us",
                  f"median time from clone(2) into a new PID namespace to the reaped end, with a static "
                  f"program that only ends, over {self.rounds} starts of each in turn{where}",
                  {name: statistics.median(times) / 1e3 for name, times in runs.items()})
        page = self._page(self.bare)
        runs = self._in_turn(f"begin, {label}", [self.bare, *self.candidates], self.rounds,
                             lambda c: self._run("begin", cpu, page, *c.argv, self.initbench, "child", page))
        bare = runs[NO_INIT]
        yield Row(f"start-up overhead, {label}", "us",
                  f"median time from clone(2) into a new PID namespace to the program's first statements, "
                  f"less the same of the program as PID 1 itself in the same round; over {self.rounds} "
                  f"starts of each in turn{where}",
                  {c.name: statistics.median(a - b for a, b in zip(runs[c.name], bare)) / 1e3
                   for c in self.candidates})

    def system_calls(self):
        self.say("system calls")
        page = self._page(self.bare)
        counts = {c.name: [self._run("calls", *c.argv, self.initbench, "child", page)[0]
                           for _ in range(min(self.rounds, 5))] for c in self.candidates}
        return Row("system calls to exec", "", "system calls on the way to the program, counted by ptrace(2): of the "
                   "init from its execve to its fork, then of the child to its own execve; median of 5",
                   {name: statistics.median(n) for name, n in counts.items()})

    def memory(self):
        self.say("memory")
        sums = {}
        # One at a time: two of ours would share their pages, and look smaller than one is.
        for candidate in self.candidates:
            with self._all_held([candidate]) as held:
                sums[candidate.name] = _rollup(_of_init(held[candidate.name][0]))
        for key, keys, how in (
                ("resident", ["Rss"], "pages in memory, shared ones included"),
                ("proportional", ["Pss"], "pages in memory, a page that N processes share as 1/N"),
                ("private", ["Private_Clean", "Private_Dirty"], "pages that no other process has"),
                ("anonymous", ["Pss_Anon"], "pages that are not a file's, which the kernel cannot "
                 "drop and containers from one image cannot share")):
            yield Row(f"memory, {key}", "KB", f"{how}, from smaps_rollup of all processes of the init while "
                      "its program waits, and no second copy runs", {n: sum(s[k] for k in keys) for n, s in sums.items()})

    def idle(self):
        self.say(f"idle for {self.idle_s} s")
        with self._all_held(self.candidates) as counted, self._all_held(self.candidates) as traced:
            logs = {name: self._trace(name, _of_init(init)) for name, (init, _) in traced.items()}
            time.sleep(0.5)
            begun = time.time()
            before = {name: _switches(_of_init(init)) for name, (init, _) in counted.items()}
            time.sleep(self.idle_s)
            after = {name: _switches(_of_init(init)) for name, (init, _) in counted.items()}
            ended = time.time()
            for strace, _ in logs.values():
                strace.terminate()
                strace.wait()
        yield Row(f"wake-ups in {self.idle_s} s", "", "voluntary context switches of an idle init, from "
                  "/proc/PID/status", {name: after[name] - before[name] for name in after})
        yield Row(f"system calls in {self.idle_s} s", "", "the same time in the life of a second copy, "
                  "counted by strace", {n: _calls(path, begun, ended) for n, (_, path) in logs.items()})

    def _trace(self, name, processes):
        path = pathlib.Path(self._directory.name) / f"{name.replace(' ', '-')}.trace"
        pids = [arg for process in processes for arg in ("-p", str(process.pid))]
        return subprocess.Popen(["strace", "-qq", "-ttt", "-o", path, *pids],
                                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL), path

    def latency(self, cpus, label, where):
        blocks = max(1, self.rounds // 5)
        sender, receiver = cpus
        candidates = [self.bare, *self.candidates]

        def once(candidate):
            # A new copy each time: on which CPUs it comes to lie decides more than anything else.
            with self._held(candidate, receiver) as (init, page):
                time.sleep(SETTLE_S)
                return self._run("signals", sender, init.pid, page, BLOCK)

        runs = self._in_turn(f"signals, {label}", candidates, blocks, once)
        for name, percent in (("p50", 50), ("p99", 99)):
            yield Row(f"signal latency {name}, {label}", "us",
                      f"time from kill(2) on PID 1 to the program's return from sigwaitinfo(2), {name} of "
                      f"{blocks * BLOCK} signals, {BLOCK} to each of {blocks} copies, in turn{where}",
                      {n: _percentile(times, percent) / 1e3 for n, times in runs.items()})

    def reaping(self):
        rounds = max(1, self.rounds // 15)
        cpu_ns = {c.name: [] for c in self.candidates}

        def once(candidate):
            with self._held(candidate) as (init, page):
                time.sleep(SETTLE_S)
                before = _cpu_ns(_of_init(init))
                took = self._run("burst", init.pid, page, BURST)
                cpu_ns[candidate.name].append((_cpu_ns(_of_init(init)) - before) / BURST)
            return took

        runs = self._in_turn("zombies", self.candidates, rounds, once)
        bursts = f"median of {rounds} bursts of {BURST:,} zombies, in turn, that become PID 1's at once"
        yield Row("zombies reaped per second", "k/s", f"from their parent's end until none is left; {bursts}",
                  {name: BURST / statistics.median(times) * 1e6 for name, times in runs.items()}, True)
        yield Row("CPU time per zombie", "us", f"of the init, from /proc/PID/schedstat; {bursts}",
                  {name: statistics.median(times) / 1e3 for name, times in cpu_ns.items()})

    def stop(self):
        rounds = max(1, self.rounds // 3)

        def once(candidate):
            page = self._page(candidate)
            took = self._run("stop", FREE, page, *candidate.argv, self.initbench, "child", page)
            os.unlink(page)
            return took

        runs = self._in_turn("stop", [self.bare, *self.candidates], rounds, once)
        return Row("stop", "us", f"median time from SIGTERM to PID 1 until it is reaped, with a program "
                   f"that ends at once, over {rounds} stops of each in turn",
                   {name: statistics.median(times) / 1e3 for name, times in runs.items()})


def _of_init(init):
    """All processes but the program and what it started; told by the file they run, since a helper of an
    init has the same arguments as the init."""
    found = [init]
    for process in found:
        found.extend(child for child in process.children() if not _runs(child, "initbench"))
    return found


def _runs(process, name):
    return os.path.basename(os.readlink(f"/proc/{process.pid}/exe")) == name


def _rollup(processes):
    total = {}
    for process in processes:
        for line in pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]:
            key, value = line.split()[:2]
            total[key[:-1]] = total.get(key[:-1], 0) + int(value)
    return total


def _switches(processes):
    return sum(int(process.status["voluntary_ctxt_switches"]) for process in processes)


def _cpu_ns(processes):
    return sum(int(pathlib.Path(f"/proc/{process.pid}/schedstat").read_text().split()[0])
               for process in processes)


def _calls(path, begun, ended):
    """Calls that came back in that time; attaching and detaching are strace's own doing."""
    lines = [line.split() for line in path.read_text().splitlines() if " = " in line]
    # With more than one process, its number comes first.
    times = [float(next(word for word in words[:2] if "." in word)) for words in lines]
    return sum(begun <= at <= ended for at in times)


def _percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def sizes(candidates):
    """Size on disk, without and with what the dynamic loader loads."""
    own = {c.name: _stripped_size(c.program) for c in candidates}
    libraries = {c.name: sum(map(os.path.getsize, _libraries(c.program))) for c in candidates}
    yield Row("size", "KB", "of the program file, stripped", {n: s / 1024 for n, s in own.items()})
    yield Row("size with libraries", "KB", "the same and every file that the dynamic loader maps for it",
              {name: (own[name] + libraries[name]) / 1024 for name in own})


def _stripped_size(program):
    with tempfile.NamedTemporaryFile() as copy:
        subprocess.run(["strip", "-o", copy.name, program], check=True)
        return os.path.getsize(copy.name)


def _libraries(program):
    said = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False).stdout
    words = [word for line in said.splitlines() for word in line.split()]
    return {os.path.realpath(word) for word in words if word.startswith("/")}
