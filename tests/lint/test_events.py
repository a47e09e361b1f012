# SPDX-License-Identifier: MIT
"""The table of events and the calls that log them: neither has what the other lacks."""

import pathlib
import re

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r'^EVENT(?:_EACH)?\((\w+), "(\w+)", "(\w+)", (\w+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', re.MULTILINE)
CALL = re.compile(r"\blog_event(?:_as)?\(")
USE = re.compile(r"\bEVENT_(?!COUNT\b|EACH\b)([A-Z0-9_]+)\b")
KEY = re.compile(r'\{ "([^"]*)",')
FIELDS = re.compile(r"\bfields? ((?:\w+, )*\w+)\.$")

# What log.c itself writes into each line.
RESERVED = {"time", "level", "program", "component", "event", "suppressed", "msg"}


def table():
    """Rows of events.def: identifier to component, level and meaning."""
    text = (CHECKOUT / "common" / "events.def").read_text(encoding="utf-8")
    rows = {id_: (component, level, "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', meaning)))
            for id_, _, component, level, meaning in ROW.findall(text)}
    assert len(rows) == len(re.findall(r"^EVENT(?:_EACH)?\(", text, re.MULTILINE)) > 100
    return rows


def sources():
    for part in ("common", "init", "daemon"):
        for path in sorted((CHECKOUT / part).rglob("*.c")):
            if path.name not in ("events.c", "log.c"):
                yield path, path.read_text(encoding="utf-8")


def argument_end(text, start):
    """Where the call ends whose arguments begin at `start`."""
    depth, quoted, at = 1, False, start
    while depth:
        if quoted:
            at += text[at] == "\\"
            quoted = text[at] != '"' or text[at - 1] == "\\"
        elif text[at] == '"':
            quoted = True
        else:
            depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def calls():
    """Every call: where it is, the events that it names, and the keys of its fields."""
    for path, text in sources():
        for match in CALL.finditer(text):
            call = text[match.start():argument_end(text, match.end())]
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path.relative_to(CHECKOUT)}:{line}", USE.findall(call), KEY.findall(call)


def test_every_event_is_logged_and_every_event_that_is_logged_is_known():
    used = set()
    for _, text in sources():
        used |= set(USE.findall(text))
    # log.c's own, of lines that it could not write.
    used.add("LOG_LINES_DROPPED")
    assert sorted(used) == sorted(table())


def test_there_is_no_other_way_to_log():
    old = re.compile(r"\b(?:log_error|log_warn|log_info|log_debug|syslog|perror)\(")
    assert [f"{path}: {found}" for path, text in sources() for found in old.findall(text)] == []


def section():
    """What is documented about logs."""
    text = "".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "docs").glob("observe*.md"))
    return re.split(r"^## ", text[re.search(r"^## Logs$", text, re.MULTILINE).end():], flags=re.MULTILINE)[0]


def test_every_component_is_explained():
    """Operators have them in their settings."""
    text = section()
    used = {component for component, _, _ in table().values()}
    # Instead of this one there is the name of a phase.
    assert [component for component in sorted(used - {"phase"}) if f"`{component}`" not in text] == []


def test_no_field_has_the_name_of_what_every_line_has():
    found = list(calls())
    assert len(found) > 100
    assert [where for where, _, keys in found if RESERVED & set(keys)] == []
    assert [where for where, _, keys in found if not all(re.fullmatch(r"[a-z][a-z0-9_]*", k) for k in keys)] == []


def test_the_fields_of_an_event_are_those_that_its_meaning_names():
    rows, carried = table(), {}
    for _, events, keys in calls():
        for event in events:
            carried.setdefault(event, set()).update(keys)
    for event, keys in carried.items():
        named = FIELDS.search(rows[event][2])
        assert keys == set(named[1].split(", ") if named else ()), event


def test_the_limits_and_the_names_that_are_documented_are_so():
    text, source = section(), (CHECKOUT / "common" / "log.c").read_text(encoding="utf-8")
    limits = dict(re.findall(r"(\w+)_limit = (\{ \.burst = \d+, \.every_ms = \d+ \});", source))
    assert limits == {"news": "{ .burst = 20, .every_ms = 10000 }", "debug": "{ .burst = 100, .every_ms = 100 }"}
    assert "| `error`, `warn`, `info` | 20 | one in 10 seconds |" in text
    assert "| `debug` | 100 | ten a second |" in text
    alerts = re.findall(r"`(\w+)`", text[text.index("Worth an alert"):text.index("### What is never")])
    assert len(alerts) > 10 and [name for name in alerts if name.upper() not in table()] == []
