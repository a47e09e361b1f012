# SPDX-License-Identifier: MIT
"""Guides name what there is: files, sections, commands, options, variables, codes, alarms, alerts, events.

The commands of guides are run by tests/container; here it is only seen to that each of them is.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ET

import pytest
import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(CHECKOUT / "tests" / "container"))

from guide import SETTING, blocks, commands, sections  # noqa: E402  pylint: disable=wrong-import-position

# What a measurement has written is about other things.
PAGES = sorted([CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("[!b]*.md"),
                *(CHECKOUT / "compose").rglob("README.md"), *(CHECKOUT / "images").glob("README.md")])
# What runs the commands of a guide.
RUN_BY = {"operations.md": "test_runbook.py", "migration.md": "test_old_deployment.py",
          "quickstart.md": "test_quickstart.py", "hardening.md": "test_hardening.py"}
LINK = re.compile(r"\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# Not build/, which is made, nor names with a pattern in them.
SOURCE = re.compile(r"(?:init|daemon|common|tests|docs|images|compose)/[\w./-]*\w/?")
VARIABLE = re.compile(r"\bWGMESH_[A-Z_]*[A-Z]\b")
IMAGE = r'(?:"\$(?:IMAGE|NEW)"|wgmesh:[\d.]+(?:-full)?|IMAGE)'
# Not a namespace, a container or a unit of that name, nor what a program says.
SAID = {"wgmesh": re.compile(rf"(?:(?<![\w/.:=-])(?<!-n )(?<!namespace )wgmesh|{IMAGE}) ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?"),
        "wgmesh-init": re.compile(rf"(?<![\w/.=-])wgmesh-init(?: {IMAGE})? ([a-z][a-z-]+)()")}


def name(path):
    return str(path.relative_to(CHECKOUT))


each_page = pytest.mark.parametrize("path", PAGES, ids=name)
each_guide = pytest.mark.parametrize("guide", RUN_BY)


def read(path):
    return (CHECKOUT / path).read_text(encoding="utf-8")


def code(text):
    """All that a page shows as code."""
    shown = (block.replace("\\\n", " ") for block in blocks(text))
    return [re.sub(r" +", " ", line) for line in (*SPAN.findall(text), *"\n".join(shown).splitlines())]


def anchors(path):
    """What links may name within a page."""
    titles = HEADING.findall(path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@each_page
def test_every_link_leads_somewhere(path):
    wrong = []
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        if not place.exists() or anchor and anchor not in anchors(place):
            wrong.append(target)
    assert wrong == []


@each_page
def test_every_file_that_is_named_exists(path):
    made = {"common/mesh_secret"}
    named = {span for span in SPAN.findall(path.read_text(encoding="utf-8")) if SOURCE.fullmatch(span)} - made
    places = (CHECKOUT, path.parent)
    assert [file for file in sorted(named) if not any((place / file).exists() for place in places)] == []


def known_commands():
    """Program to commands, and command to verbs."""
    table = read("daemon/cli/commands.c")
    own = set(re.findall(r'^\t\{ "([a-z-]+)", cli_\w+,', table, re.MULTILINE))
    verbs = set(re.findall(r'^\t\{ "([a-z-]+)", "', table, re.MULTILINE))
    init = set(re.findall(r'^COMMAND\("([a-z-]+)"', read("init/commands.def"), re.MULTILINE))
    assert {"join", "doctor"} <= own and {"export", "list"} <= verbs and "healthcheck" in init
    return {"wgmesh": own | {"help", "version"}, "wgmesh-init": init}, verbs


@each_page
def test_every_command_that_is_named_exists(path):
    known, verbs = known_commands()
    wrong = []
    for line in code(path.read_text(encoding="utf-8")):
        started = ("wgmesh-init",) if "--entrypoint wgmesh-init" in line else SAID
        for program in started:
            for command, verb in SAID[program].findall(line):
                if command not in known[program] | {"wgmesh", "wgmesh-init"}:
                    wrong.append(line)
                if command in ("state", "peers") and verb and verb not in verbs:
                    wrong.append(line)
    assert wrong == []


@each_page
def test_every_variable_that_is_named_is_known(path):
    known = set(VARIABLE.findall(read("common/settings.def") + read("common/environment.def")))
    assert len(known) > 40
    # Of the compose files, not of the programs.
    known |= set(VARIABLE.findall(read("compose/.env.example")))
    assert sorted(set(VARIABLE.findall(path.read_text(encoding="utf-8"))) - known) == []


SHOWN = [*PAGES, *sorted((CHECKOUT / "compose").rglob("*.y*ml"))]


@pytest.mark.parametrize("path", SHOWN, ids=name)
def test_a_secret_is_never_written_where_others_may_read_it(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if re.search(r"init --secret *>", line):
            assert any("umask 077" in near for near in lines[max(number - 1, 0):number + 1]), line


@each_page
def test_no_registry_is_named(path):
    assert not re.search(r"\b(?:ghcr|quay|docker|gcr)\.io\b", path.read_text(encoding="utf-8"))


def table(text, title, column=0):
    """Code spans in a column of the tables of a section."""
    rows = [line.split("|")[1:-1] for line in sections(text)[title].splitlines() if line.startswith("| ")]
    return {span for row in rows for span in SPAN.findall(row[column])}


def exits():
    return set(re.findall(r"^EXIT\(\w+, (\d+)", read("common/exits.def"), re.MULTILINE))


def test_every_exit_code_has_a_row_in_the_runbook():
    text = sections(read("docs/operations.md"))["What an exit code wants"]
    rows = re.findall(r"^\| ([\d+n, ]+) \|", text, re.MULTILINE)
    codes = {word for row in rows for word in row.replace(",", " ").split()}
    assert codes == exits() - {"0"} | {"128+n"}


def test_what_systemd_does_not_try_again_is_what_no_restart_cures():
    unit = re.search(r"RestartPreventExitStatus=([\d ]+)", read("docs/quickstart.md"))[1].split()
    final = re.findall(r"^\| `(\d+)` \| no \|", read("docs/reference.md"), re.MULTILINE)
    assert unit == final and len(final) == 5


def test_exit_codes_of_other_tables_exist():
    for page in ("migration.md", "hardening.md", "quickstart.md"):
        named = set(re.findall(r"\((?:exit code )?(\d\d)\)", read(f"docs/{page}")))
        assert named <= exits(), page


def test_the_runbook_has_every_alarm_of_the_daemon():
    alarms = set(re.findall(r'\balarm_on\(\s*a,\s*"(\w+)"', read("daemon/view/judge.c")))
    assert len(alarms) > 6
    assert set(re.findall(r"alarm `(\w+)`", read("docs/operations.md"))) == alarms


def test_the_runbook_has_every_check_and_every_word_of_the_storage():
    text = read("docs/operations.md")
    checks = set(re.findall(r'\bcheck\(c, "(\w+)"', read("daemon/view/judge.c")))
    assert table(text, "It is not ready") >= checks and len(checks) == 8
    words = table(read("docs/reference.md"), "Storage while running") - {"ok"}
    assert table(text, "The storage is full, read-only or hangs") - {"storage"} == words and len(words) > 5


def test_the_runbook_has_every_alert_and_no_other():
    rules = yaml.safe_load(read("compose/observability/alerts.yml"))
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert set(re.findall(r"\bWgmesh[A-Z]\w+", read("docs/operations.md"))) == alerts


def test_every_event_of_the_runbook_is_logged():
    events = set(re.findall(r'^EVENT(?:_EACH)?\(\w+, "(\w+)"', read("common/events.def"), re.MULTILINE))
    text = read("docs/operations.md")
    named = table(text, "Lines to look for in the log")
    for found in re.findall(r"event (?:`\w+`(?:, | and )?)+", text):
        named |= set(SPAN.findall(found))
    assert len(named) > 15 and sorted(named - events) == []


@each_guide
def test_every_section_with_commands_is_run(guide):
    text, tests = read(f"docs/{guide}"), read(f"tests/container/{RUN_BY[guide]}")
    with_commands = [title for title, body in sections(text).items()
                     if any(not SETTING.match(block) for block in commands(body))]
    assert len(with_commands) > 1
    assert [title for title in with_commands if f'"{title}"' not in tests] == []


@each_guide
def test_a_guide_says_the_image_of_this_version(guide):
    version = re.search(r"^VERSION *:= *(\S+)$", read("Makefile"), re.MULTILINE)[1]
    assert set(re.findall(r"\bwgmesh:(\d[\d.]*\d)", read(f"docs/{guide}"))) <= {version}


def test_the_capabilities_of_the_page_are_those_of_its_command():
    text = read("docs/hardening.md")
    command = sections(text)["The whole of it"]
    smallest = set(re.findall(r"--cap-add (\w+)", command))
    shipped = yaml.safe_load(read("compose/docker-compose.yml"))["services"]["node"]["cap_add"]
    assert smallest <= set(shipped) <= table(text, "Capabilities")


def test_the_picture_is_whole_and_has_words_for_who_cannot_see_it():
    root = ET.parse(CHECKOUT / "docs" / "architecture.svg").getroot()
    words = " ".join(root.itertext())
    assert "prefers-color-scheme: dark" in words
    assert root.get("aria-labelledby") == "title desc"
    for part in ("Host", "Volume", "Container", "wgmesh-init, PID 1", "netadmin", "mesh process"):
        assert part in words and f"## {part}" .lower() in read("docs/architecture.md").lower()
