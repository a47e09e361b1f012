# SPDX-License-Identifier: MIT
"""Engines for tests: one box for all of them, each started when the first test asks for it."""

import functools

import pytest

from box import BUSYBOX, WIREGUARD, Box, Unavailable
from cases import places
from engines import ENGINES, image_tar
from running import Launcher


@pytest.fixture(scope="session")
def box():
    try:
        with Box() as the_box:
            image_tar(the_box.directory / "image.tar", BUSYBOX, WIREGUARD)
            the_box.run("mkdir", "-m", "777", "/run/memory")
            yield the_box
    except Unavailable as missing:
        pytest.skip(f"no container engine can run here, for lack of {missing}")


@pytest.fixture(scope="module")
def host(box):
    """Directories of the host by their names in cases; as they should be, whatever was done to them before."""
    return places(box)


@pytest.fixture(scope="session")
def start_engine(box):
    """Starts an engine by its name, or has it already; skips where there can be none, and fails where one fails."""
    @functools.lru_cache(maxsize=None)
    def attempt(name):
        try:
            return ENGINES[name](box, box.directory / "image.tar")
        except (Unavailable, AssertionError) as why:
            return why

    def start(name):
        started = attempt(name)
        if isinstance(started, Unavailable):
            pytest.skip(f"{name} cannot run here, for lack of {started}")
        assert not isinstance(started, AssertionError), f"{name} does not start: {started}"
        return started
    return start


@pytest.fixture
def engine(engine_name, start_engine):
    return start_engine(engine_name)


@pytest.fixture
def launch(engine, request):
    """Starts containers and nodes, which end with the test; see running.Launcher."""
    with Launcher(engine) as launcher:
        request.node.launcher = launcher
        yield launcher


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A test that failed shows what its containers said."""
    report = (yield).get_result()
    if report.failed and report.when == "call" and hasattr(item, "launcher"):
        report.sections += item.launcher.logs()
