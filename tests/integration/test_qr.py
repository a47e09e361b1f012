# SPDX-License-Identifier: MIT
"""`wgmesh qr`: what it shows is read by a program that reads QR codes in pictures."""

import re
import subprocess

import pytest

from lib import person

pytestmark = pytest.mark.asan

LIGHT, DARK = 255, 0
QUIET = 4
PIXELS = 6
BLOCKS = {"█": (LIGHT, LIGHT), "▀": (LIGHT, DARK), "▄": (DARK, LIGHT), " ": (DARK, DARK)}
COLOURED = re.compile(r"\x1b\[38;5;231;48;5;16m([█▀▄ ]+)\x1b\[0m")


def secret_file(tmp_path, text):
    path = tmp_path / "secret"
    path.write_text(text + "\n")
    return path


def generated(variant):
    return person.run("init", "--secret", variant=variant).stdout.strip()


def modules(rows):
    """Rows of light and dark from lines of blocks, two of them each."""
    return [[BLOCKS[block][half] for block in row] for row in rows for half in (0, 1)]


def read_picture(cells, path):
    """What zbarimg reads in the picture of the modules."""
    width = len(cells[0]) * PIXELS
    lines = [bytes(value for cell in row for value in [cell] * PIXELS) for row in cells for _ in range(PIXELS)]
    path.write_bytes(b"P5 %d %d 255\n" % (width, len(lines)) + b"".join(lines))
    done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.removesuffix("\n")


def blocks(text):
    return [line for line in text.splitlines() if line and set(line) <= set(BLOCKS)]


def test_the_code_is_the_secret(tmp_path, variant):
    uri = generated(variant)
    shown = person.run("qr", "--secret-file", secret_file(tmp_path, uri), variant=variant)
    assert shown.returncode == 0
    assert read_picture(modules(blocks(shown.stdout)), tmp_path / "code.pgm") == uri


def test_below_the_code_stands_what_it_is_without_the_secret(tmp_path, variant):
    uri = generated(variant)
    path = secret_file(tmp_path, uri)
    shown = person.run("qr", "--secret-file", path, variant=variant)
    below = [line for line in shown.stdout.splitlines() if line not in blocks(shown.stdout)]
    network = person.run("status", "--secret-file", path, variant=variant).stdout
    short = re.search(r"network_id +(\w{12})", network)[1]
    assert below == [f"This is the secret of mesh {short}, as `wgmesh init --secret` prints it: "
                     "whoever sees the code can join."]
    assert uri[-20:] not in shown.stdout + shown.stderr


@pytest.mark.parametrize("text,carried", [
    ("a secret that somebody made up", "wgmesh://v1/a secret that somebody made up"),
    ("wgmesh://v1/sixteen-and-more-characters?name=x", "wgmesh://v1/sixteen-and-more-characters"),
    # As a URI it would end at the question mark.
    ("why is this a secret? nobody knows", "why is this a secret? nobody knows"),
])
def test_a_secret_of_any_form_makes_the_same_mesh_again(tmp_path, variant, text, carried):
    shown = person.run("qr", "--secret-file", secret_file(tmp_path, text), variant=variant)
    read = read_picture(modules(blocks(shown.stdout)), tmp_path / "code.pgm")
    assert read == carried
    ours, theirs = (person.run("status", "--secret-file", secret_file(tmp_path, one), variant=variant).stdout
                    for one in (text, read))
    assert ours == theirs


def test_a_light_margin_is_around_it(tmp_path, variant):
    shown = person.run("qr", "--secret-file", secret_file(tmp_path, generated(variant)), variant=variant)
    cells = modules(blocks(shown.stdout))
    for row in cells[:QUIET] + cells[-QUIET:] + [row[:QUIET] + row[-QUIET:] for row in cells]:
        assert set(row) == {LIGHT}
    assert DARK in cells[QUIET]


def test_on_a_terminal_its_colours_do_not_depend_on_the_theme(tmp_path, variant):
    uri = generated(variant)
    with person.Session(person.program(variant), "qr", "--secret-file", secret_file(tmp_path, uri), rows=40,
                        columns=100) as session:
        assert session.end() == 0
        assert read_picture(modules(COLOURED.findall(session.shown)), tmp_path / "code.pgm") == uri


def test_a_terminal_that_is_too_narrow_is_told_so(tmp_path, variant):
    with person.Session(person.program(variant), "qr", "--secret-file",
                        secret_file(tmp_path, generated(variant)), columns=50) as session:
        assert session.end() == 1
        assert "is 57 columns wide" in session.shown.replace("\r\n", " ") and "█" not in session.shown


def test_what_no_code_holds_is_refused(tmp_path, variant):
    shown = person.run("qr", "--secret-file", secret_file(tmp_path, "x" * 4000), variant=variant)
    assert shown.returncode == 64 and "no QR code holds a secret of 4000 bytes" in shown.stderr
    assert shown.stdout == "" and "xxx" not in shown.stderr
    assert person.run("qr", variant=variant).returncode == 64
