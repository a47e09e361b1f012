# SPDX-License-Identifier: MIT
"""The manual says what the programs do: its tables are made from those in the source (docs/gen)."""

import pathlib
import re
import subprocess

import pytest

from lib.lab import programs

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
DOCS = CHECKOUT / "docs"
INIT, WGMESH = programs("release")
PAGES = {"wgmesh-init": INIT, "wgmesh": WGMESH}
SOURCES = [path for part in ("common", "daemon", "init") for path in sorted((CHECKOUT / part).rglob("*.[ch]"))]

# "  --stop-timeout TIME   after a stop signal ..." in a help; a heading of a manual page as text.
OPTION = re.compile(r"^  (--[a-z0-9-]+)(?: |$)", re.MULTILINE)
COMMAND = re.compile(r"^  ([a-z][a-z-]+) +\S", re.MULTILINE)


def run(*command, **options):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True, **options).stdout


def make(*goals):
    run("make", "--no-print-directory", "-C", CHECKOUT, *goals, stderr=subprocess.STDOUT)


def help_of(program, *words):
    return run(program, *words, "--help")


def table(path):
    return (CHECKOUT / path).read_text(encoding="utf-8")


def page(name):
    return (DOCS / "man" / f"{name}.8").read_text(encoding="utf-8")


def section(name, title):
    """The part of a manual page below a heading of either kind."""
    found = re.search(rf"(?ms)^\.S[HS] {re.escape(title)}\n(.*?)(?=^\.S[HS] |\Z)", page(name).replace("\\-", "-"))
    assert found, f"{name}(8) has no section {title}"
    return found[1]


def items(text):
    """What the items of a list in a manual page are about."""
    return set(re.findall(r"(?m)^\.TP\n\\fB(.+?)\\fR", text))


# The committed files are the generated ones

def committed():
    return [DOCS / "reference.md", *(DOCS / "man" / f"{name}.8" for name in PAGES)]


def test_the_committed_pages_are_those_that_the_tables_make(tmp_path):
    make("docs", f"DIR={tmp_path}")
    made = {path: tmp_path / path.relative_to(DOCS) for path in committed()}
    assert all(path.is_file() for path in made.values())
    stale = [str(path.relative_to(CHECKOUT)) for path, new in made.items() if path.read_bytes() != new.read_bytes()]
    assert not stale, f"{', '.join(stale)}: the tables in the source say something else; run make docs"


def test_a_changed_help_would_be_seen(tmp_path):
    """The generator with another text in the table makes other pages, so the test above can fail."""
    changed = table("common/settings.def").replace('"UDP port of WireGuard"', '"UDP port, changed for a test"')
    assert changed != table("common/settings.def")
    (tmp_path / "common").mkdir()
    (tmp_path / "common/settings.def").write_text(changed, encoding="utf-8")
    make("build/release/docgen")
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    libraries = re.search(r"(?m)^DAEMON_LIBS := (.*)$", makefile)[1].split()
    built = [f"build/release/lib{name}.a" for name in ("daemon", "common")]
    sources = [str(path) for path in sorted((DOCS / "gen").glob("*.c"))]
    run("gcc", "-std=gnu17", "-D_GNU_SOURCE", '-DWGMESH_VERSION="1"', "-I", tmp_path, "-I.", *sources,
        "common/settings_table.c", *built, *libraries, "-o", tmp_path / "docgen", cwd=CHECKOUT)
    for name in ("docs/man/wgmesh.8.in", "docs/reference.md"):
        made = run(tmp_path / "docgen", name, cwd=CHECKOUT)
        assert "UDP port, changed for a test" in made, name


@pytest.mark.parametrize("text, words", [
    ("<!-- generated: no-such-table -->\n<!-- end -->\n", "no-such-table"),
    ("<!-- generated: metrics -->\nno end\n", "no \"<!-- end -->\""),
])
def test_a_page_that_cannot_be_made_is_refused(tmp_path, text, words):
    make("build/release/docgen")
    source = tmp_path / "page.md"
    source.write_text(text, encoding="utf-8")
    done = subprocess.run([CHECKOUT / "build/release/docgen", source], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 1 and words in done.stderr


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    """A cell with a bar in it would be two."""
    for path in sorted(DOCS.glob("*.md")):
        rows = [line.replace("\\|", "") for line in path.read_text(encoding="utf-8").splitlines()]
        wanted = 0
        for number, row in enumerate(rows, 1):
            if not row.startswith("|"):
                wanted = 0
                continue
            cells = row.count("|")
            wanted = wanted or cells
            assert cells == wanted, f"{path.name}:{number}"


# The pages are good ones

@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_fault_of_form(name):
    path = DOCS / "man" / f"{name}.8"
    found = subprocess.run(["mandoc", "-T", "lint", "-W", "style", path], text=True,
                           stdout=subprocess.PIPE, check=False).stdout
    # Whether wg(8) is installed here is no fault of the page.
    assert [line for line in found.splitlines() if "referenced manual not found" not in line] == []
    said = subprocess.run(["groff", "-mandoc", "-Tutf8", "-ww", "-z", path], text=True,
                          stderr=subprocess.PIPE, check=True).stderr
    assert said == ""


@pytest.mark.parametrize("name", PAGES)
def test_every_sentence_ends_once_and_begins_with_a_capital(name):
    assert re.findall(r"(?m)^.*[^.]\.\.$", page(name)) == []
    assert re.findall(r"(?m)^\.(?:SS|fi|PP)\b.*\n[a-z].*\.$", page(name)) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_small_terminal(name):
    shown = run("mandoc", "-T", "utf8", "-O", "width=78", DOCS / "man" / f"{name}.8")
    shown = re.sub(".\b", "", shown)
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "ENVIRONMENT", "EXIT STATUS",
                  "FILES", "SIGNALS", "EXAMPLES", "SEE ALSO"):
        assert f"\n{title}\n" in shown


# Every flag, command, code and variable is there, and nothing else

def commands_of_init():
    """From the table: any other word would be a program that wgmesh-init starts here."""
    names = re.findall(r'(?m)^COMMAND\("([a-z-]+)"', table("init/commands.def"))
    assert len(names) > 5
    return names


def words_of_wgmesh():
    """Every command, or its verbs where they have options of their own."""
    for name in COMMAND.findall(help_of(WGMESH)):
        if name == "state":
            yield from ((name, verb) for verb in COMMAND.findall(help_of(WGMESH, name)))
        else:
            yield (name,)


def test_every_command_of_wgmesh_is_explained_with_exactly_its_options():
    found = 0
    for words in words_of_wgmesh():
        explained = section("wgmesh", "wgmesh " + " ".join(words))
        options = re.findall(r"\\fB(--[a-z0-9-]+)\\fR", explained.partition("Options: ")[2])
        assert sorted(options) == sorted(OPTION.findall(help_of(WGMESH, *words))), words
        found += len(options)
    assert found > 50


def test_every_command_of_wgmesh_init_is_explained():
    assert items(section("wgmesh-init", "COMMANDS")) == {f"wgmesh-init {name}" for name in commands_of_init()}
    said = re.findall(r"(?m)^  wgmesh-init ([a-z-]+) {2,}\S", help_of(INIT).split("Examples")[0])
    assert sorted(said) == sorted(commands_of_init())


@pytest.mark.parametrize("name", PAGES)
def test_the_options_are_those_of_the_helps(name):
    words = words_of_wgmesh() if name == "wgmesh" else [(), *((c,) for c in commands_of_init())]
    helps = {option for w in words for option in OPTION.findall(help_of(PAGES[name], *w))}
    listed = {item for item in items(section(name, "OPTIONS")) if item.startswith("--")}
    assert listed == helps and len(helps) > 20


def test_every_help_fits_a_small_terminal():
    helps = [help_of(WGMESH), help_of(INIT), *(help_of(WGMESH, *w) for w in words_of_wgmesh()),
             *(help_of(INIT, c) for c in commands_of_init())]
    assert [line for text in helps for line in text.splitlines() if len(line) > 79] == []


@pytest.mark.parametrize("words", [["join"], ["state", "verify"], ["doctor"]], ids=" ".join)
def test_help_and_a_command_is_the_commands_help(words):
    assert run(WGMESH, "help", *words) == help_of(WGMESH, *words)


def test_help_and_a_command_of_wgmesh_init_is_the_commands_help():
    for name in commands_of_init():
        assert run(INIT, "help", name) == help_of(INIT, name), name
    assert run(INIT, "help") == help_of(INIT)


def test_every_exit_code_is_used_and_listed():
    names = re.findall(r"(?m)^EXIT\((\w+), (\d+),", table("common/exits.def"))
    used = set(re.findall(r"\bEXITS_([A-Z_]+)\b", "".join(path.read_text(encoding="utf-8") for path in SOURCES)))
    assert [name for name, _ in names if name not in used] == []
    for page_name in PAGES:
        assert items(section(page_name, "EXIT STATUS")) == {*(code for _, code in names), "128+n"}


def test_every_event_is_used_and_listed():
    names = re.findall(r'(?m)^EVENT(?:_EACH)?\((\w+),\s*"(\w+)"', table("common/events.def"))
    used = set(re.findall(r"\bEVENT_([A-Z0-9_]+)\b", "".join(path.read_text(encoding="utf-8") for path in SOURCES)))
    assert len(names) > 50
    assert [name for name, _ in names if name not in used] == []
    reference = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert [name for _, name in names if f"\n| `{name}` | " not in reference] == []


def test_every_variable_that_is_read_is_listed_and_the_others_are_not():
    others = set(re.findall(r'(?m)^VARIABLE\("(\w+)"', table("common/environment.def")))
    settings = set(re.findall(r'"(WGMESH_\w+)"', table("common/settings.def")))
    code = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    read = set(re.findall(r'\b(?:secure_)?getenv\("(\w+)"\)', code)) | set(re.findall(r'\benv_get\([^"()]*, "(\w+)"\)', code))
    assert read - others - settings == set()
    assert [name for name in others if f'"{name}"' not in code and f"{name}=" not in code] == []
    for name in PAGES:
        assert items(section(name, "ENVIRONMENT")) == others | settings


def test_every_status_key_is_listed():
    keys = re.findall(r'(?m)^STATUS_KEY\(\w+, "(\w+)"', table("common/statusline.def"))
    assert items(section("wgmesh-init", "STATUS")) == {*keys, "phase.NAME"}


# make install

def tree(directory):
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_an_installation_has_programs_pages_and_completions_and_may_be_repeated(tmp_path):
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    first = tree(tmp_path)
    documents = {name: text for name, text in first.items() if name.startswith("usr/share/doc/wgmesh/")}
    assert documents["usr/share/doc/wgmesh/reference.md"] == (DOCS / "reference.md").read_bytes()
    assert "usr/share/doc/wgmesh/architecture.svg" in documents
    assert sorted(first.keys() - documents.keys()) == [
        "usr/sbin/wgmesh", "usr/sbin/wgmesh-init",
        "usr/share/bash-completion/completions/wgmesh", "usr/share/fish/vendor_completions.d/wgmesh.fish",
        "usr/share/man/man8/wgmesh-init.8", "usr/share/man/man8/wgmesh.8", "usr/share/zsh/site-functions/_wgmesh"]
    assert all(first.values())
    assert (tmp_path / "usr/sbin/wgmesh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "usr/share/man/man8/wgmesh.8").stat().st_mode & 0o777 == 0o644
    run("bash", "-n", tmp_path / "usr/share/bash-completion/completions/wgmesh")
    assert run(tmp_path / "usr/sbin/wgmesh", "version").startswith("wgmesh version ")
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    assert tree(tmp_path) == first
