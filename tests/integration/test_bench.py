# SPDX-License-Identifier: MIT
"""`make bench-init` and `make bench-daemon` work: a short run yields every line. How fast is not tested.

What `make bench-containers` yields is tested where there are containers.
"""

import re
import subprocess

from lib.lab import CHECKOUT

ROWS = """life of `exit 0`, free|start-up overhead, free|life of `exit 0`, one CPU|start-up overhead, one CPU
system calls to exec|memory, resident|memory, proportional|memory, private|memory, anonymous
wake-ups in 1 s|system calls in 1 s
signal latency p50, free|signal latency p99, free|signal latency p50, one CPU|signal latency p99, one CPU
signal latency p50, two CPUs|signal latency p99, two CPUs
zombies reaped per second|CPU time per zombie|stop|size|size with libraries"""
PHASES = ["signals", "volume", "writability", "lock", "ownership", "migrate", "verify", "privileges"]
COSTS = ["volume, crowded", "all phases", "... verify", "... the rest", "... the disk", "fsync"]
NUMBER = r"-?\d+(\.\d+)?"


def test_a_short_run_yields_every_line(tmp_path):
    report = tmp_path / "bench.md"
    done = subprocess.run(["/usr/bin/python3", "-B", CHECKOUT / "tests/bench/bench.py", "--rounds", "3",
                           "--idle", "1", "--only", "wgmesh-init", "--markdown", report],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    said = report.read_text(encoding="utf-8")
    for name in re.split(r"[|\n]", ROWS):
        row = rf"^\| {re.escape(name)}( \([a-zA-Z/]+\))? \| ({NUMBER}|-) \| {NUMBER} \|"
        assert re.search(row, said, re.MULTILINE), name
        assert f"**{name}**: " in said, f"how {name} is measured"
    for name in [f"phase {phase}" for phase in PHASES] + COSTS:
        assert re.search(rf"^\| {re.escape(name)} \| {NUMBER} \|", said, re.MULTILINE), name


def test_the_committed_report_has_the_same_lines():
    said = (CHECKOUT / "docs" / "bench-init.md").read_text(encoding="utf-8")
    for name in re.split(r"[|\n]", ROWS.replace("in 1 s", "in 10 s")):
        assert f"| {name}" in said and f"**{name}**: " in said, name


def test_the_committed_report_on_containers_has_every_figure_that_was_promised():
    said = (CHECKOUT / "docs" / "bench.md").read_text(encoding="utf-8")
    for name, goal in (("start to ready", 5000), ("start to first handshake", 5000), ("peer appears", 100),
                       ("peer moves", 100), ("stop", 1000)):
        row = rf"^\| {name} \| {NUMBER} / {NUMBER} / {NUMBER} \| .* \| {goal} \| .*kept \|$"
        assert re.search(row, said, re.MULTILINE), name
        assert f"**{name}**: " in said, f"how {name} is measured"


DAEMON_ROWS = ["requests to WireGuard", "all configured (ms)", "`wg set` for each (ms)", "`wg addconf` (ms)",
               "against `wg set`", "against `wg addconf`", "memory (KiB)", "processor time, idle (ms/s)",
               "wake-ups, idle (1/s)", "datagram to configured (ms), p50 / p99", "envelopes opened (1/s)",
               "envelopes per second of processor time"]


def test_a_short_run_with_a_few_peers_yields_every_line(tmp_path):
    report = tmp_path / "bench.md"
    done = subprocess.run(["/usr/bin/python3", "-B", CHECKOUT / "tests/bench/daemon.py", "--peers", "5", "--moves", "5",
                           "--joins", "1", "--idle", "1", "--flood", "1", "--markdown", report],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    said = report.read_text(encoding="utf-8")
    for name in DAEMON_ROWS:
        assert re.search(rf"^\| {re.escape(name)} \| {NUMBER}( / {NUMBER})? \|", said, re.MULTILINE), name
        assert f"**{name}**: " in said, f"how {name} is measured"
    assert re.search(rf"^\| join \| {NUMBER} / {NUMBER} \|", said, re.MULTILINE)


def test_the_committed_report_on_the_daemon_keeps_its_goals():
    said = (CHECKOUT / "docs" / "bench-daemon.md").read_text(encoding="utf-8")
    for name in DAEMON_ROWS:
        assert f"| {name} |" in said and f"**{name}**: " in said, name
    requests, memory = (re.search(rf"^\| {re.escape(name)} \|.* ([\d.]+) \| [^|]+ \|$", said, re.MULTILINE)[1]
                        for name in ("requests to WireGuard", "memory (KiB)"))
    assert int(requests) <= 5 and int(memory) < 12288
