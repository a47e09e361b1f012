# SPDX-License-Identifier: MIT
"""What all tests share: the variants of the programs, the lab, and the counts at the end."""

import os
import signal

import pytest

from lib import wait
from lib.lab import Lab

SANITIZER_ENV = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


def pytest_addoption(parser):
    parser.addoption("--variants", default="release",
                     help="builds that tests run against: release, asan or both, as release,asan")
    parser.addoption("--time-scale", type=float, default=1.0, help="factor for time limits")


def pytest_configure(config):
    wait.scale = config.getoption("time_scale")
    # A shell has what it starts in the background ignore it, and every program under test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.geteuid() != 0:
        pytest.exit("these tests make network namespaces and mounts: run them as root", 77)


def pytest_generate_tests(metafunc):
    if "variant" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("variants").split(",")
        again = metafunc.definition.get_closest_marker("asan")
        metafunc.parametrize("variant", [v for v in chosen if v != "asan" or again])


@pytest.fixture(scope="session")
def time_scale():
    """Factor for time limits that a test measures itself; eventually() applies it on its own."""
    return wait.scale


@pytest.fixture
def lab(variant, request):
    """A switch, and a place to start containers, nodes and peers in; see lib.lab."""
    with Lab(variant) as the_lab:
        request.node.lab = the_lab
        yield the_lab
        reports = [line for line in the_lab.logs().splitlines() if "Sanitizer" in line]
        assert not reports, reports
        assert the_lab.leaks() == []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A test that failed shows what its containers said."""
    report = (yield).get_result()
    if report.failed and hasattr(item, "lab"):
        report.sections.append(("containers", item.lab.logs()))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """The last line, for people and for whoever counts."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.getoption("collectonly"):
        return
    count = {name: len(reporter.stats.get(name, ())) for name in ("passed", "failed", "error", "skipped")}
    line = f"{count['passed']} passed, {count['failed'] + count['error']} failed"
    if count["skipped"]:
        line += f", {count['skipped']} skipped"
    reporter.write_line(line)
