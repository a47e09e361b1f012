# SPDX-License-Identifier: MIT
"""Options of the tests that run in the virtual machine only."""

import pathlib

import pytest

from lib.lab import CHECKOUT


def pytest_addoption(parser):
    parser.addoption("--image", type=pathlib.Path, help="the distroless image, below the checkout")


@pytest.fixture(scope="session")
def archive(request):
    return CHECKOUT / request.config.getoption("image")
