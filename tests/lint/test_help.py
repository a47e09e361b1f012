# SPDX-License-Identifier: MIT
"""Every help of wgmesh teaches: what the command does, an example, and how it ends."""

import re
import subprocess

import pytest

from lib.lab import CHECKOUT, programs

WGMESH = programs("release")[1]
TABLE = (CHECKOUT / "daemon/cli/commands.c").read_text(encoding="utf-8")
COMMANDS = [name for name in re.findall(r'(?m)^\t\{ "([a-z-]+)", cli_\w+,', TABLE) if name != "version"]
VERBS = [["state", verb] for verb in ("verify", "show", "list", "snapshot", "restore", "export", "import")]
# What a person could type, or put into a compose file.
EXAMPLE = re.compile(r"(?m)^  (?:[A-Z_]+=\S+ )*(?:source <\()?(?:echo .*; ?)?wgmesh [a-z]")


def help_of(*words):
    return subprocess.run([WGMESH, *words, "--help"], text=True, stdout=subprocess.PIPE, check=True).stdout


def test_the_table_of_commands_was_found():
    assert len(COMMANDS) > 10 and "status" in COMMANDS


@pytest.mark.parametrize("words", [*([name] for name in COMMANDS if name != "state"), *VERBS], ids=" ".join)
def test_a_help_has_an_example(words):
    explained = help_of(*words).partition("\nOptions")[0]
    assert EXAMPLE.search(explained), explained


@pytest.mark.parametrize("name", ["status", "peers", "test-peer", "qr", "log-level", "reload", "completion", "down",
                                  "doctor"])
def test_a_help_tells_the_exit_codes(name):
    assert re.search(r"[Ee]xit codes?:?\s", help_of(name)), help_of(name)


def test_every_command_is_in_the_help():
    listed = help_of()
    assert [name for name in COMMANDS if f"\n  {name} " not in listed] == []
