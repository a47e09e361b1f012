# SPDX-License-Identifier: MIT
"""Runs the commands of a page of docs/ in a box, as somebody would who copies them from the page.

The indented blocks of a section are commands, except those that begin with "$ ": they show what is seen.
The first block of a page is what its reader sets once: names, which a test gives values of its own, and functions.
It is run before each other block, as these are the shell that the reader works in.
"""

import os
import re

from box import CHECKOUT

HEADING = re.compile(r"^#{2,4} (.+)$", re.MULTILINE)
SETTING = re.compile(r"^([A-Z][A-Z_]*)=", re.MULTILINE)
FENCED = "    "


def page(name):
    return (CHECKOUT / "docs" / name).read_text(encoding="utf-8")


def sections(text):
    """Title to text of each section of a page, those below others apart."""
    parts = HEADING.split(text)
    return dict(zip(parts[1::2], parts[2::2]))


def blocks(text):
    """The indented blocks of a text, without their indentation."""
    found, block, before = [], [], ""
    for line in [*text.splitlines(), ""]:
        if line.startswith(FENCED) and (block or not before.strip()):
            block.append(line[len(FENCED):])
        elif not line.strip() and block:
            block.append("")
        elif block:
            found.append("\n".join(block).strip("\n") + "\n")
            block = []
        before = line
    if block:
        found.append("\n".join(block).strip("\n") + "\n")
    return found


def commands(text):
    return [block for block in blocks(text) if not block.startswith("$ ")]


class Section:
    """Commands of one section, run one block after the other; leaving it checks that none is left."""

    def __init__(self, guide, title):
        self._guide = guide
        self._left = guide.commands(title)
        self.title = title

    def step(self, check=True):
        """Run the next block; what it said."""
        return self._guide.shell(self._left.pop(0), check=check)

    def skip(self):
        """Pass over the next block, for a test that has its own way to see that it is right."""
        return self._left.pop(0)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        assert kind or not self._left, f"not run, of {self.title}:\n" + "\n".join(self._left)


class Guide:
    """A page, with an engine that its commands use, in a directory of its own.

    names     words of the page and what stands for them here, such as docker for podman
    settings  values for the NAME=VALUE lines of the page
    """

    def __init__(self, engine, name, directory, names=None, settings=None):
        self.name, self.directory = name, directory
        self._engine, self._names = engine, names or {}
        self._sections = sections(page(name))
        first = commands(page(name))[0]
        self._setup = self._set(first, settings or {}) if SETTING.match(first) else ""
        self._tools = _tools(engine, directory)

    @staticmethod
    def _set(block, settings):
        """The first block of a page, with values of the test's."""
        lines = []
        for line in block.splitlines():
            name = found[1] if (found := SETTING.match(line)) else None
            lines.append(f"{name}='{settings[name]}'" if name in settings else line)
        unknown = settings.keys() - set(SETTING.findall(block))
        assert not unknown, f"the page has no {unknown}"
        return "\n".join(lines) + "\n"

    def commands(self, title):
        """The blocks of commands of a section; an error when there are none."""
        found = commands(self._sections[title])
        assert found, f"{self.name} has no commands under {title!r}"
        return found

    def section(self, title):
        return Section(self, title)

    def run(self, title):
        """Run every block of a section; what the last one said."""
        done = None
        with self.section(title) as section:
            for _ in self.commands(title):
                done = section.step()
        return done

    def shell(self, text, check=True):
        """Run a text in the shell of the page's reader, in the guide's directory."""
        text = self._setup + text
        for word, here in self._names.items():
            text = re.sub(rf"(?<![\w./-]){re.escape(word)}(?![\w-])", here, text)
        path = f"{self._tools}:/usr/bin:/usr/sbin:/bin:/sbin"
        become, _ = split(self._engine)
        script = f"cd '{self.directory}'\nset -euo pipefail\n{text}"
        return self._engine.room.run(*become, "bash", "-c", script, check=check, within=180,
                                     env={**self._engine.env(), "PATH": path})


SCRIPT = "#!/bin/sh\n{lines}\nexec {argv} \"$@\"\n"
COMPOSE = 'if [ "$1" = compose ]; then shift; exec docker-compose "$@"; fi'


def split(engine):
    """What becomes the user of an engine, and the engine's own words."""
    argv = list(map(str, engine.argv()))
    at = argv.index(str(engine.program))
    return argv[:at], argv[at:]


def _tools(engine, directory):
    """A directory of scripts, so that `docker` and `podman` are those of the box."""
    tools = directory / ".tools"
    own = " ".join(f"'{word}'" for word in split(engine)[1])
    # Debian 12 has the older one, which takes the same files.
    text = SCRIPT.format(lines=COMPOSE if engine.name == "docker" else "", argv=own)
    engine.box.run("mkdir", "-p", tools)
    engine.box.run("sh", "-c", 'printf %s "$0" >"$1"; chmod 755 "$1"', text,
                   tools / os.path.basename(engine.program))
    return tools
