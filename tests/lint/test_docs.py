# SPDX-License-Identifier: MIT
"""What the documentation says of the sources is so."""

import pathlib
import re
import subprocess

from lib.lab import programs

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
DOCS = CHECKOUT / "docs"
NAMED = re.compile(r"`(\w+\.(?:py|c))::(\w+)`")
MESSAGE = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


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


def packages_with(libraries):
    """The Debian packages that own files, by the names that `dpkg -S` knows them by."""
    owners = set()
    for library in libraries:
        names = {library, library.removeprefix("/usr"), "/usr" + library}
        shown = subprocess.run(["dpkg", "-S", *names], text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, check=False).stdout
        owners |= {line.split(":")[0] for line in shown.splitlines()}
    return owners


def test_the_image_of_the_readme_has_every_library_that_the_daemon_is_linked_with():
    linked = subprocess.run(["ldd", programs("release")[1]], text=True, stdout=subprocess.PIPE, check=True).stdout
    needed = packages_with(re.findall(r"=> (/\S+)", linked)) - {"libc6"}
    page = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert len(needed) > 5
    assert [package for package in sorted(needed) if f" {package} " not in page.replace("\n", " \n ")] == []
