# SPDX-License-Identifier: MIT
"""Makes every cmocka test function of tests/unit/test_*.c a test of its own.

A program runs once, as a whole; each test looks its own result up. The names are read from the
source, so that a test which the program never reaches counts as failed.
"""

import functools
import os
import pathlib
import re
import subprocess

import pytest

from lib import leak

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
MAKER = r"cmocka_unit_test\w*"
# A file's own short form: #define T(test) cmocka_unit_test_setup_teardown(test, ...)
SHORT_FORM = re.compile(rf"^#define\s+(\w+)\([^)]*\)\s+(?:\\\n\s*)?{MAKER}\([^)]*\)", re.MULTILINE)
RESULT = re.compile(r"^(ok|not ok) \d+ - (\w+)", re.MULTILINE)
TIME_LIMIT_S = 120


class Failed(Exception):
    """What the program said; shown instead of a Python traceback."""


def declared(source):
    """Names of the test functions that a C file hands to cmocka."""
    makers = "|".join([MAKER, *SHORT_FORM.findall(source)])
    return re.findall(rf"\b(?:{makers})\(\s*(\w+)", SHORT_FORM.sub("", source))


@functools.lru_cache(maxsize=None)
def run(program):
    """Run a unit test program: its output, and True or False for each test it finished."""
    done = subprocess.run([program], cwd=CHECKOUT, stdin=subprocess.DEVNULL,
                          env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}, timeout=TIME_LIMIT_S,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    output = done.stdout.decode(errors="replace")
    return output, {name: word == "ok" for word, name in RESULT.findall(output)}, done.returncode


class UnitTest(pytest.Item):
    def __init__(self, program, function, **kwargs):
        super().__init__(**kwargs)
        self.program = program
        self.function = function

    def runtest(self):
        if not os.path.exists(self.program):
            raise Failed(f"{self.program} has not been built")
        output, results, status = run(self.program)
        if found := leak.search([(self.program, output.encode())], {}):
            raise Failed("\n".join(found))
        if self.function not in results:
            raise Failed(f"{self.function} did not finish; exit status {status}\n{output}")
        if not results[self.function]:
            raise Failed(output)

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, None, self.name


class UnitFile(pytest.File):
    def collect(self):
        functions = declared(self.path.read_text())
        for variant in self.config.getoption("variants").split(","):
            program = CHECKOUT / "build" / variant / "unit" / self.path.stem
            for function in functions:
                yield UnitTest.from_parent(self, name=f"{function}[{variant}]",
                                           program=str(program), function=function)


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".c" and file_path.name.startswith("test_"):
        return UnitFile.from_parent(parent, path=file_path)
    return None
