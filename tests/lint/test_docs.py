# SPDX-License-Identifier: MIT
"""What the documentation says of the sources is so."""

import pathlib
import re
import subprocess

import pytest

from lib.lab import programs

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
DOCS = CHECKOUT / "docs"
NAMED = re.compile(r"`(test_\w+\.(?:py|c))::(\w+)`")
# "  --stop-timeout TIME        after a stop signal, ... [8s]", and the variable in the line below.
MESSAGE = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
OPTION = re.compile(r"^  (--[a-z-]+)(?: (\S+))? .*?(?:\[([^]]*)\])?\n +(WGMESH_\w+)$", re.MULTILINE)


def has_test(file, name):
    head = f"def {name}(" if file.endswith(".py") else f"static void {name}(void **"
    return any(head in path.read_text(encoding="utf-8") for path in (CHECKOUT / "tests").rglob(file))


def test_every_test_that_a_decision_names_exists():
    named = set(NAMED.findall((DOCS / "pid1.md").read_text(encoding="utf-8")))
    assert len(named) > 50, "the table of decisions names its tests"
    assert [f"{file}::{name}" for file, name in sorted(named) if not has_test(file, name)] == []


def test_every_decision_names_a_test():
    rows = [line for line in (DOCS / "pid1.md").read_text(encoding="utf-8").splitlines()
            if line.startswith("| ") and not line.startswith(("| --", "| what ", "| # "))]
    assert [row for row in rows if not NAMED.search(row)] == []


def rows_of_help():
    shown = subprocess.run([programs("release")[0], "--help"], text=True, stdout=subprocess.PIPE, check=True)
    rows = {option: (variable, default) for option, _, default, variable in OPTION.findall(shown.stdout)}
    assert len(rows) == shown.stdout.count("\n  --"), "every option has a variable"
    return rows


def test_the_reference_lists_the_options_as_they_are():
    listed = {}
    for line in (DOCS / "reference.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if line.startswith("| `--") and len(cells) == 4:
            listed[cells[0].split()[0]] = (cells[1], cells[2])
    known = rows_of_help()
    assert sorted(listed) == sorted(known)
    for option, (variable, default) in known.items():
        # The help shows no default for flags.
        assert listed[option] == (variable, default or listed[option][1]), option


# "  --plain                    do not seal", and variables that have no option.
STATE_OPTION = re.compile(r"^  (--[a-z-]+|WGMESH_\w+) +.*$", re.MULTILINE)


@pytest.mark.parametrize("verb", ["verify", "show", "list", "snapshot", "restore", "export", "import"])
def test_the_reference_explains_every_option_of_wgmesh_state(verb):
    shown = subprocess.run([programs("release")[1], "state", verb, "--help"], text=True,
                           stdout=subprocess.PIPE, check=True).stdout
    options = STATE_OPTION.findall(re.sub(r"(?m)^(  --[a-z-]+) [A-Z]+ ", r"\1  ", shown))
    text = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert len(options) > 3 and f"wgmesh state {verb}" in text
    assert [option for option in options if f"`{option}" not in text] == []


def literals(text):
    """The string literals of a C file, adjacent ones joined as the compiler does."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    end, joined = 0, []
    for match in LITERAL.finditer(text):
        if joined and not text[end:match.start()].strip():
            joined[-1] += match[1]
        else:
            joined.append(match[1])
        end = match.end()
    return "\n".join(joined)


def test_every_message_that_is_explained_exists():
    page = (DOCS / "persistence.md").read_text(encoding="utf-8")
    explained = MESSAGE.findall(page[page.index("## What does this message mean?"):])
    assert len(explained) > 20
    said = "\n".join(literals(path.read_text(encoding="utf-8")) for part in ("init", "daemon", "common")
                     for path in (CHECKOUT / part).rglob("*.c"))
    assert [message for message in explained if message not in said] == []
